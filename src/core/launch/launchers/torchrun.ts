import type { Launcher } from '../launcher.ts';

/**
 * torch.distributed.run. `--tee 3` prefixes each line with its rank, so that the log says who failed first.
 * It sets OMP_NUM_THREADS=1 for more than one process unless we set it (torch/distributed/run.py), which the plan does.
 */
export const torchrunLauncher: Launcher = {
  name: 'torchrun',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, worldSize, port }) => ({
    command: [
      python,
      '-m',
      'torch.distributed.run',
      `--nproc-per-node=${worldSize}`,
      '--nnodes=1',
      '--master-addr=127.0.0.1',
      `--master-port=${port}`,
      '--tee=3',
      '--log-dir=ranks',
      ...program,
    ],
    env: { TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE: '[rank${rank}]:' },
  }),
};
