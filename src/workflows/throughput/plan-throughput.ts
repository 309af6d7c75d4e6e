import { readExperiment } from '../../adapters/experiment-data.ts';
import { listRunIds } from '../../adapters/run-store.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import { expandGrid, type SkippedCase } from '../../core/experiment/grid.ts';
import { followsBatchRule } from '../../core/experiment/grid-batch.ts';
import { planCommand } from '../../core/plan/plan-command.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveMachine, type Machine } from '../machine.ts';
import { openPlanning, type Planning } from '../plan/planning.ts';
import { readyPlaces } from '../plan/ready-places.ts';
import { commandSchedule } from '../plan/schedules.ts';
import { readSetting, type PlanRequest } from '../plan/request.ts';
import type { BatchLaunchers } from './batch-search.ts';

export interface ThroughputRequest extends PlanRequest {
  /** With --workload command: what to run. */
  readonly command: readonly string[] | null;
}

/** What a request comes to on this machine. */
export interface ThroughputPlan {
  readonly machine: Machine;
  readonly plans: readonly RunPlan[];
  readonly skipped: readonly SkippedCase[];
  readonly notes: readonly string[];
  /** Plans a case with another batch, where the paper's rule may choose one; null: batches stay as they are. */
  readonly planVariant: BatchLaunchers['planVariant'] | null;
  /** Wall time of the newest earlier run of each case with the same stack, by case id, milliseconds. */
  readonly expectedMs: Readonly<Record<string, number>>;
}

/**
 * Turns flags into runs. Reads, decides, and starts nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault; 'environment' where this machine cannot run it.
 */
export async function planThroughput(context: Context, request: ThroughputRequest): Promise<ThroughputPlan> {
  if (request.command !== null) return planOwnCommand(context, request, request.command);
  const setting = await readSetting(context, request);
  const { machine, user, models, folders } = setting;
  const experiment = readExperiment('throughput', folders);
  const grid = expandGrid(experiment, models, machine.system, user.flags);
  const faults = [...user.faults, ...grid.faults];
  if (faults.length > 0) throw faultsError('usage', faults);
  const planning = await openPlanning(context, request, setting);
  const planned = planning.planCases(grid.cases);
  const ready = request.dryRun ? { plans: planned.plans, notes: [] } : await planning.ready(planned.plans);
  const hasRule = followsBatchRule(experiment[machine.system.accelerator], user.flags);
  return {
    machine,
    planVariant: hasRule ? variantOf(planning) : null,
    plans: ready.plans,
    skipped: grid.skipped,
    notes: [...planned.notes, ...planning.notes, ...ready.notes],
    expectedMs: await earlierDurations(context, ready.plans),
  };
}

async function planOwnCommand(
  context: Context,
  request: ThroughputRequest,
  command: readonly string[],
): Promise<ThroughputPlan> {
  const machine = await resolveMachine(context, request.system);
  const chips = request.flags.chips ?? 1;
  const { limits } = request;
  const here = planCommand({ command, system: machine.system, chips, cwd: context.cwd, limits });
  const schedule = await commandSchedule(context, request, machine);
  const plan = schedule === null ? here : { ...here, schedule };
  const ready = request.dryRun ? { plans: [plan], notes: [] } : await readyPlaces(context, [plan], null);
  return { machine, planVariant: null, skipped: [], ...ready, expectedMs: {} };
}

function variantOf(planning: Planning): BatchLaunchers['planVariant'] {
  return async (subject) => {
    const { plans } = await planning.ready(planning.planCases([subject]).plans);
    const [plan] = plans;
    if (plan === undefined) throw new Error('a case has one plan');
    return plan;
  };
}

async function earlierDurations(
  context: Context,
  plans: readonly RunPlan[],
): Promise<Record<string, number>> {
  const ids = await listRunIds(context.home);
  const durations = plans.flatMap(({ caseId, stack }) => {
    const newest = ids.findLast((id) => id.includes(`-${caseId}-`));
    const record = newest === undefined ? null : readRecord(context.home, newest);
    if (record === null || record instanceof SuperOffloadError) return [];
    const comparable = record.outcome.class === 'ok' && record.stack?.hash === stack?.hash;
    return comparable && record.durationMs !== null ? [[caseId, record.durationMs] as const] : [];
  });
  return Object.fromEntries(durations);
}
