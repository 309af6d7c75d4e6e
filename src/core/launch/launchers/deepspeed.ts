import type { Launcher } from '../launcher.ts';

/**
 * DeepSpeed's own launcher on one node. A hostfile is always named: without one it looks for /job/hostfile and
 * would follow whatever stands there; a name that does not exist means the local devices (engines.md).
 */
export const deepspeedLauncher: Launcher = {
  name: 'deepspeed',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, worldSize, port, bindCores }) => ({
    command: [
      python,
      '-m',
      'deepspeed.launcher.runner',
      '--hostfile=none',
      '--num_nodes=1',
      `--num_gpus=${worldSize}`,
      '--master_addr=127.0.0.1',
      `--master_port=${port}`,
      ...(bindCores ? ['--bind_cores_to_rank'] : []),
      ...program,
    ],
    env: {},
  }),
};
