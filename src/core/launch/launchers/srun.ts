import { bindCommand } from '../binding.ts';
import { placeholders } from '../placeholders.ts';
import type { Launcher } from '../launcher.ts';

/** Slurm's own: every rank is a task of srun, and the script takes its place from Slurm's variables. */
export const srunLauncher: Launcher = {
  name: 'srun',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, layout, masterAddress, masterPort, binding }) => ({
    command: bindCommand({ ...binding, localRank: placeholders.slurmLocalid }, [python, '-u', ...program]),
    env: {
      RANK: placeholders.slurmProcid,
      LOCAL_RANK: placeholders.slurmLocalid,
      WORLD_SIZE: String(layout.nodes * layout.ranksPerNode),
      MASTER_ADDR: masterAddress,
      MASTER_PORT: masterPort,
    },
  }),
};
