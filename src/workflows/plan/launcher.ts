import type { LauncherName } from '../../core/experiment/case.ts';
import { launchers } from '../../core/launch/launcher.ts';
import type { Schedule } from '../../core/launch/schedule.ts';
import { defaultLauncher } from '../../core/plan/plan-case.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { hasPartOfGpu, type Machine } from '../machine.ts';
import type { PlanRequest } from './request.ts';

/**
 * The launcher of a run: the one asked for, else the system's.
 * @throws SuperOffloadError 'usage' where it cannot start such a run.
 */
export function launcherFor(
  { env }: Context,
  { launcher }: Pick<PlanRequest, 'launcher'>,
  { system }: Machine,
  chips: number,
  schedule: Schedule | null,
): LauncherName {
  const name = launcher ?? defaultLauncher(system, chips);
  const place = `--launcher ${name}`;
  if (chips > launchers[name].maxWorldSize) {
    const problem = `starts ${launchers[name].maxWorldSize} rank, and --chips is ${chips}`;
    const expected = 'torchrun or deepspeed for more than one chip';
    throw faultsError('usage', [{ place, problem, expected }]);
  }
  if (name === 'srun' && schedule?.scheduler !== 'slurm') {
    const problem = "is Slurm's, and this run is not given to Slurm";
    throw faultsError('usage', [{ place, problem, expected: '--scheduler slurm beside it' }]);
  }
  if (name === 'deepspeed' && schedule === null && system.accelerator === 'cuda' && hasPartOfGpu(env)) {
    const problem = 'takes whole GPUs, and CUDA_VISIBLE_DEVICES names a part of one (MIG-...)';
    throw faultsError('usage', [{ place, problem, expected: '--launcher torchrun' }]);
  }
  return name;
}
