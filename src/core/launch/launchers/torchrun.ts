import { bindCommand, type NodeBinding } from '../binding.ts';
import { placeholders } from '../placeholders.ts';
import type { Launcher } from '../launcher.ts';

/**
 * torch.distributed.run. `--tee 3` prefixes each line with its (global) rank, so that the log says who failed first.
 * It sets OMP_NUM_THREADS=1 for more than one process unless we set it (torch/distributed/run.py), which the plan does.
 * On several nodes each starts its own, which meet at the first one's port (static rendezvous, its default backend);
 * nothing is restarted: a run that lost a rank is a failed run, and the next one is a new attempt.
 */
export const torchrunLauncher: Launcher = {
  name: 'torchrun',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, layout, masterAddress, masterPort, binding }) => ({
    command: [
      python,
      '-m',
      'torch.distributed.run',
      `--nproc-per-node=${layout.ranksPerNode}`,
      `--nnodes=${layout.nodes}`,
      ...(layout.nodes === 1 ? [] : [`--node-rank=${placeholders.nodeRank}`, '--max-restarts=0']),
      `--master-addr=${masterAddress}`,
      `--master-port=${masterPort}`,
      '--tee=3',
      '--log-dir=ranks',
      ...boundProgram(binding, python, program),
    ],
    env: { TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE: '[rank${rank}]:' },
  }),
};

/** A program that is not Python's own is started as it is, with LOCAL_RANK in its environment. */
function boundProgram(binding: NodeBinding, python: string, program: readonly string[]): readonly string[] {
  if (binding.binding !== 'numactl') return program;
  return ['--no-python', ...bindCommand({ ...binding, localRank: null }, [python, '-u', ...program])];
}
