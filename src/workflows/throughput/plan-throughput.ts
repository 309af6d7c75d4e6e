import { readExperiment } from '../../adapters/experiment-data.ts';
import { listRunIds } from '../../adapters/run-store.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import { expandGrid, type SkippedCase } from '../../core/experiment/grid.ts';
import { followsBatchRule } from '../../core/experiment/grid-batch.ts';
import { predictDurationMs } from '../../core/model/duration.ts';
import { planCommand } from '../../core/plan/plan-command.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { timelineFaults } from '../../core/plan/traced-step.ts';
import { isComparable } from '../../core/results/comparable.ts';
import { caseIdOfRun } from '../../core/results/run-files.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveMachine, type Machine } from '../machine.ts';
import { withoutOverlay } from '../plan/overlay.ts';
import { openPlanning, type Planning } from '../plan/planning.ts';
import { readyPlaces } from '../plan/ready-places.ts';
import { commandSchedule } from '../plan/schedules.ts';
import { readSetting, type PlanRequest } from '../plan/request.ts';
import { toolIdentity } from '../tool-identity.ts';
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
  /** Wall time by case id, milliseconds: of the newest comparable run, else as predicted; absent where neither is. */
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
  const traceFaults = request.timeline === undefined ? [] : timelineFaults(request.timeline, grid.cases);
  const faults = [...user.faults, ...grid.faults, ...traceFaults];
  if (faults.length > 0) throw faultsError('usage', faults);
  const planning = await openPlanning(context, request, setting);
  const { cases, skipped } = withoutOverlay(grid, user.flags, planning.overlay);
  const planned = planning.planCases(cases);
  const ready = request.dryRun ? { plans: planned.plans, notes: [] } : await planning.ready(planned.plans);
  const hasRule = followsBatchRule(experiment[machine.system.accelerator], user.flags);
  return {
    machine,
    planVariant: hasRule ? variantOf(planning) : null,
    plans: ready.plans,
    skipped,
    notes: [...planned.notes, ...planning.notes, ...ready.notes],
    expectedMs: await expectedDurations(context, ready.plans),
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

async function expectedDurations(
  context: Context,
  plans: readonly RunPlan[],
): Promise<Record<string, number>> {
  const ids = await listRunIds(context.home);
  const tool = await toolIdentity(context);
  const earlier = (plan: RunPlan): number | null => {
    const newest = ids.findLast((id) => caseIdOfRun(id) === plan.caseId);
    const record = newest === undefined ? null : readRecord(context.home, newest);
    if (record === null || record instanceof SuperOffloadError || record.outcome.class !== 'ok') return null;
    if (record.abandoned !== undefined) return null;
    return isComparable(record, { ...plan, tool }) ? record.durationMs : null;
  };
  const predicted = ({ case: subject, system }: RunPlan): number | null =>
    subject === null ? null : predictDurationMs(subject, system, subject.steps);
  const durations = plans.flatMap((plan) => {
    const ms = earlier(plan) ?? predicted(plan);
    return ms === null ? [] : [[plan.caseId, ms] as const];
  });
  return Object.fromEntries(durations);
}
