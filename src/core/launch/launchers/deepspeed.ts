import type { Launcher } from '../launcher.ts';

/**
 * DeepSpeed's own launcher on one node. A hostfile is always named: without one it looks for /job/hostfile and
 * would follow whatever stands there; a name that does not exist means the local devices
 * (deepspeed/launcher/runner.py, fetch_hostfile).
 * It ignores CUDA_VISIBLE_DEVICES and deletes it as soon as a number of nodes or GPUs is given (launcher/runner.py of
 * 0.19.8, main), so GPUs that were chosen are named one by one, and then it takes no such number.
 */
export const deepspeedLauncher: Launcher = {
  name: 'deepspeed',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, worldSize, port, bindCores, gpuIndices }) => ({
    command: [
      python,
      '-m',
      'deepspeed.launcher.runner',
      '--hostfile=none',
      ...(gpuIndices === null
        ? ['--num_nodes=1', `--num_gpus=${worldSize}`]
        : [`--include=localhost:${gpuIndices.slice(0, worldSize).join(',')}`]),
      '--master_addr=127.0.0.1',
      `--master_port=${port}`,
      ...(bindCores ? ['--bind_cores_to_rank'] : []),
      ...program,
    ],
    env: {},
  }),
};
