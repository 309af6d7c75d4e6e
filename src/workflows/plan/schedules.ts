import type { SchedulerName, System } from '../../core/experiment/case.ts';
import type { Schedule } from '../../core/launch/schedule.ts';
import type { SchedulingFlags } from '../../core/launch/scheduling-flags.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { requireChips, requireRanks, type Machine } from '../machine.ts';
import type { PlanRequest } from './request.ts';

/** Where a run on so many chips gets its machines; null is this machine. */
type ScheduleOf = (chips: number) => Schedule | null;

/**
 * Reads what the scheduler needs, once.
 * @returns what throws 'usage' where the machines cannot be laid out so, 'environment' where this one has too few chips.
 * @throws SuperOffloadError 'usage' for flags that contradict each other, 'config' for a faulty hostfile.
 */
// eslint-disable-next-line @typescript-eslint/require-await -- until the hostfile is read
export async function schedulesOf(
  context: Context,
  request: PlanRequest,
  machine: Machine,
): Promise<ScheduleOf> {
  const { scheduling, dryRun } = request;
  switch (schedulerOf(scheduling, machine.system)) {
    case 'local':
      return (chips) => {
        if (!dryRun) requireChips(machine, chips, context.env);
        requireRanks(machine, chips);
        return null;
      };
    case 'hostfile':
    case 'slurm':
      throw faultsError('usage', [{ place: '--scheduler', problem: 'is not joined yet' }]);
  }
}

/** The scheduler asked for, else the system's; a hostfile asks for its own. */
function schedulerOf({ scheduler, hostfile }: SchedulingFlags, { site }: System): SchedulerName {
  if (hostfile !== undefined && scheduler !== undefined && scheduler !== 'hostfile') {
    const problem = `is read by the scheduler "hostfile", and --scheduler is ${scheduler}`;
    throw faultsError('usage', [{ place: '--hostfile', problem, expected: 'one of the two' }]);
  }
  return scheduler ?? (hostfile === undefined ? site.scheduler : 'hostfile');
}
