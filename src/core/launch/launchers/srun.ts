import type { Launcher } from '../launcher.ts';

/** Slurm's own: every rank is a task of srun, and the script reads its place from Slurm's variables. */
export const srunLauncher: Launcher = {
  name: 'srun',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: ({ python, program, worldSize }) => ({
    command: [python, '-u', ...program],
    env: { RANK: '@SLURM_PROCID@', LOCAL_RANK: '@SLURM_LOCALID@', WORLD_SIZE: String(worldSize) },
  }),
};
