import { readFile } from 'node:fs/promises';
import type { SchedulerName, System } from '../../core/experiment/case.ts';
import { hostfileSchedule, parseHostfile } from '../../core/launch/hostfile.ts';
import { layoutOf } from '../../core/launch/layout.ts';
import type { Host, HostfileSchedule, Schedule } from '../../core/launch/schedule.ts';
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
        requireWholeNodes(machine.system, chips);
        return null;
      };
    case 'hostfile': {
      const hosts = await readHosts(scheduling.hostfile);
      return (chips) => asTheSystem(faultless(hostfileSchedule(hosts, chips)), machine.system);
    }
    case 'slurm':
      return (chips) => slurmScheduleFor(context, request, machine.system, chips);
  }
}

/** A system that is named has nodes of so many chips, whoever starts the run. */
function requireWholeNodes({ name, accelerator, chipsPerNode }: System, chips: number): void {
  if (name === 'local' || accelerator !== 'cuda') return;
  const laid = layoutOf(chips, chipsPerNode);
  if (!laid.ok) throw faultsError('usage', [laid.fault]);
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

/**
 * The scheduler asked for, else the system's; a hostfile asks for its own.
 * @throws SuperOffloadError 'usage' with every flag that it does not read: whoever gives them means another.
 */
export function schedulerOf(flags: SchedulingFlags, { site }: System): SchedulerName {
  const name = namedScheduler(flags, site.scheduler);
  const given = [
    ...Object.keys(flags.slurm ?? {}).map((option) => `--${option}`),
    ...(flags.slurmWords === undefined ? [] : ['--slurm']),
  ];
  if (name === 'slurm' || given.length === 0) return name;
  const problem = `is for Slurm, and this runs ${name === 'local' ? 'on this machine' : 'on the hosts of a file'}`;
  const expected = '--scheduler slurm beside it, or a system whose scheduler is Slurm';
  throw faultsError(
    'usage',
    given.map((place) => ({ place, problem, expected })),
  );
}

function namedScheduler({ scheduler, hostfile }: SchedulingFlags, ofSystem: SchedulerName): SchedulerName {
  if (hostfile !== undefined && scheduler !== undefined && scheduler !== 'hostfile') {
    const problem = `is read by the scheduler "hostfile", and --scheduler is ${scheduler}`;
    throw faultsError('usage', [{ place: '--hostfile', problem, expected: 'one of the two' }]);
  }
  return scheduler ?? (hostfile === undefined ? ofSystem : 'hostfile');
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

/** A named system says what its nodes have: with more slots every estimate of their memory would be wrong. */
function asTheSystem(schedule: HostfileSchedule, { name, chipsPerNode }: System): HostfileSchedule {
  const { ranksPerNode } = schedule.layout;
  if (name === 'local' || ranksPerNode <= chipsPerNode) return schedule;
  const problem = `gives ${ranksPerNode} slots of a host to this run, and system ${name} has ${chipsPerNode} chip(s) a node`;
  const expected = 'the system of these hosts (superoffload systems list), or fewer slots';
  throw faultsError('usage', [{ place: '--hostfile', problem, expected }]);
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
