import { readFile } from 'node:fs/promises';
import type { SchedulerName, System } from '../../core/experiment/case.ts';
import { hostfileSchedule, parseHostfile } from '../../core/launch/hostfile.ts';
import { layoutOf } from '../../core/launch/layout.ts';
import type { Host, Schedule } from '../../core/launch/schedule.ts';
import type { SchedulingFlags } from '../../core/launch/scheduling-flags.ts';
import { defaultLauncher } from '../../core/plan/plan-case.ts';
import { slurmSchedule } from '../../core/slurm/schedule.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { requireChips, requireRanks, type Machine } from '../machine.ts';
import { surroundingAllocation } from '../slurm/allocation.ts';
import type { PlanRequest } from './request.ts';

/** Where a run on so many chips gets its machines; null is this machine. */
type ScheduleOf = (chips: number) => Schedule | null;

/**
 * Reads what the scheduler needs, once.
 * @returns what throws 'usage' where the machines cannot be laid out so, 'environment' where this one has too few chips.
 * @throws SuperOffloadError 'usage' for flags that contradict each other, 'config' for a faulty hostfile.
 */
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
    case 'hostfile': {
      const hosts = await readHosts(scheduling.hostfile);
      return (chips) => faultless(hostfileSchedule(hosts, chips));
    }
    case 'slurm':
      return (chips) => slurmScheduleFor(context, request, machine.system, chips);
  }
}

/**
 * Where a command of the user's runs: once on each node. How many ranks it starts on this machine is its own affair.
 * @throws SuperOffloadError as {@link schedulesOf}
 */
export async function commandSchedule(
  context: Context,
  request: PlanRequest,
  machine: Machine,
): Promise<Schedule | null> {
  const { flags, dryRun, scheduling } = request;
  const chips = flags.chips ?? 1;
  if (schedulerOf(scheduling, machine.system) !== 'local') {
    return (await schedulesOf(context, request, machine))(chips);
  }
  if (!dryRun) requireChips(machine, chips, context.env);
  return null;
}

/** The scheduler asked for, else the system's; a hostfile asks for its own. */
function schedulerOf({ scheduler, hostfile }: SchedulingFlags, { site }: System): SchedulerName {
  if (hostfile !== undefined && scheduler !== undefined && scheduler !== 'hostfile') {
    const problem = `is read by the scheduler "hostfile", and --scheduler is ${scheduler}`;
    throw faultsError('usage', [{ place: '--hostfile', problem, expected: 'one of the two' }]);
  }
  return scheduler ?? (hostfile === undefined ? site.scheduler : 'hostfile');
}

async function readHosts(path: string | undefined): Promise<readonly Host[]> {
  if (path === undefined) {
    const expected = '--hostfile FILE, with a line `NAME slots=N` for each host';
    throw faultsError('usage', [{ place: '--scheduler hostfile', problem: 'needs hosts', expected }]);
  }
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const problem = `cannot be read: ${(error as Error).message}`;
    throw faultsError('usage', [{ place: `--hostfile ${path}`, problem }]);
  });
  const parsed = parseHostfile(text, path);
  if (!parsed.ok) throw faultsError('config', parsed.faults);
  return parsed.hosts;
}

function slurmScheduleFor(context: Context, request: PlanRequest, system: System, chips: number): Schedule {
  const laid = layoutOf(chips, system.chipsPerNode);
  if (!laid.ok) throw faultsError('usage', [laid.fault]);
  const { scheduling: flags } = request;
  const launcher = request.launcher ?? defaultLauncher(system, chips);
  const exclusiveHost = flags.exclusiveHost ?? false;
  // Started within an allocation, runs are steps of it.
  const allocation = surroundingAllocation(context.env);
  const { layout } = laid;
  return faultless(slurmSchedule({ system, layout, flags, launcher, exclusiveHost, allocation }));
}

function faultless<T extends Schedule>(
  result:
    | { readonly ok: true; readonly schedule: T }
    | { readonly ok: false; readonly faults: Parameters<typeof faultsError>[1] },
): T {
  if (!result.ok) throw faultsError('usage', result.faults);
  return result.schedule;
}
