import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import {
  campaignPaths,
  lockCampaign,
  openCampaignJournal,
  writeCampaign,
  type CampaignJournal,
} from '../../adapters/campaign-store.ts';
import type { CampaignFile } from '../../core/campaign/campaign-file.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import { passes } from '../../core/campaign/filter.ts';
import { orderCells } from '../../core/campaign/order.ts';
import { cellStanding, keptVariants, withVariants, type LaunchRules } from '../../core/campaign/state.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { Context } from '../context.ts';
import { atOnceOf } from './at-once.ts';
import { BatchVariants } from './batch-variants.ts';
import { keepDefinition } from './definition.ts';
import { driveCampaign, type Drive } from './drive.ts';
import { foresightOf } from './foresight.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import { CampaignProgress } from './progress.ts';
import { cellReports, countsOf, type CampaignCounts, type CellReport } from './report.ts';
import type { CampaignRequest, CampaignRules } from './request.ts';
import { adopt, earlierRuns } from './reuse.ts';
import { CampaignSession } from './session.ts';
import { openStarter } from './starter.ts';

export interface CampaignResult {
  readonly name: string;
  readonly cells: readonly CellReport[];
  readonly counts: CampaignCounts;
  /** Of the cells that are left, those that were not begun since they would not have ended in time. */
  readonly outOfTime: number;
}

/**
 * Runs what a campaign has left to run. Its journal knows of every run before it starts and of every result once it is
 * on the disk, so that this may be killed at any moment and called again.
 * @throws SuperOffloadError 'usage' where another tool drives it, or where it is not what it was and nobody accepted
 *   that; 'environment' where runs cannot be started; the signal's reason after an interruption.
 */
export async function runCampaign(
  context: Context,
  request: CampaignRequest,
  rules: CampaignRules,
  planned: PlannedCampaign,
): Promise<CampaignResult> {
  const { home } = context;
  atOnceOf(request, planned);
  const mutex = await lockCampaign(home, request.name);
  try {
    const file = await keepDefinition(context, request, planned);
    await rm(campaignPaths(home, request.name).cancel, { force: true });
    const journal = await openCampaignJournal(home, request.name);
    try {
      return await runLeft(context, request, rules, { planned, journal, file });
    } finally {
      journal.close();
    }
  } finally {
    await mutex.release();
  }
}

interface Opened {
  readonly planned: PlannedCampaign;
  readonly journal: CampaignJournal;
  readonly file: CampaignFile;
}

async function runLeft(
  context: Context,
  request: CampaignRequest,
  rules: CampaignRules,
  { planned, journal, file }: Opened,
): Promise<CampaignResult> {
  const launchRules: LaunchRules = { ...request, retry: rules.retry };
  const earlier = await earlierRuns(context, planned.cells, planned.plans, request.repeat);
  const foresight = foresightOf(planned, earlier);
  const asked = planned.cells.filter((cell) => passes(cell.case, rules.only));
  const ordered = orderCells(asked, foresight.ofCell, atOnceOf(request, planned) > 1);
  const session = new CampaignSession(context, journal, ordered);
  noteStrays(context, journal, [...planned.cells, ...file.variants]);
  if (request.reuse) adopt(context, session, earlier, launchRules);
  const variants = new BatchVariants(context, planned, session, { rules: launchRules, asked });
  const derive = async (): Promise<void> => {
    if (!(await variants.derive())) return;
    await writeCampaign(context.home, { ...file, variants: keptVariants(file, asked, variants.all) });
  };
  await derive();
  const plans = await readyPlans(planned, session, launchRules);
  const planOf = (key: string): RunPlan | undefined => variants.planOf(key) ?? plans.get(key);
  // A table is read by size and mode, whatever ran first.
  const states = () => withVariants(asked, variants.all).flatMap(({ key }) => session.stateOf(key) ?? []);
  const work = { session, planOf, derive, foresight, rules: launchRules };
  const left = await driveLeft(context, request, { ...planned, plans }, work);
  const counts = countsOf(states(), launchRules);
  return { name: request.name, cells: cellReports(context, states(), launchRules), counts, outOfTime: left };
}

interface Work extends Pick<Drive, 'session' | 'planOf' | 'derive'> {
  readonly foresight: ReturnType<typeof foresightOf>;
  readonly rules: LaunchRules;
}

/** @returns how many cells are left since they would not have ended in time. */
async function driveLeft(
  context: Context,
  request: CampaignRequest,
  planned: PlannedCampaign,
  { foresight, rules, ...work }: Work,
): Promise<number> {
  const { session } = work;
  const { name } = request;
  // Not a node is asked for where nothing is left to run.
  if (session.states.every((state) => cellStanding(state, rules) === 'settled')) return 0;
  const withinMs = request.withinMs === null ? null : context.now() + request.withinMs;
  const starter = await openStarter(context, request, planned, session);
  const { maxJobs, atOnce, untilMs } = starter;
  const deadlineMs = earliest(withinMs, untilMs);
  const expectedMs = foresight.following(session);
  const options = () => ({ ...rules, maxJobs, atOnce, deadlineMs, expectedMs: expectedMs() });
  const progress = new CampaignProgress(context, name, session, options);
  const { cancel } = campaignPaths(context.home, name);
  const isCancelled = (): boolean => existsSync(cancel);
  try {
    progress.begin();
    const { onChange } = progress;
    const drive = { ...work, starter, options, onChange, isCancelled };
    return (await driveCampaign(progress.context, drive)).left.length;
  } catch (error) {
    context.emit({ type: 'note', message: keptText(request, countsOf(session.states, rules)) });
    throw error;
  } finally {
    progress.end();
    await starter.close();
  }
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** Runs of cases that the campaign no longer has may go on all the same. */
function noteStrays({ emit }: Context, { events }: CampaignJournal, cells: readonly Cell[]): void {
  const keys = new Set(cells.map(({ key }) => key));
  const strays = new Set<string>();
  for (const event of events) {
    if (!('key' in event) || keys.has(event.key)) continue;
    if (event.type === 'attempt') strays.add(event.runId);
    else strays.delete(event.runId);
  }
  if (strays.size === 0) return;
  emit({
    type: 'warning',
    message: `runs of cases that are no longer in the campaign may still go on: ${[...strays].join(', ')}`,
    hint: 'end each with: superoffload runs cancel RUN',
  });
}

function keptText({ name, goOn }: CampaignRequest, counts: CampaignCounts): string {
  const { total, withResult, launches } = counts;
  const command = goOn ?? `superoffload campaign run ${name} --resume`;
  const of = launches.total > total ? ` (${launches.done} of ${launches.total} launches)` : '';
  return `${withResult} of ${total} cases have a result${of}; all of them are kept. To go on: ${command}`;
}

/** What is still to be started, with what only the machines could say. */
async function readyPlans(
  { planning, plans }: PlannedCampaign,
  { states }: CampaignSession,
  rules: LaunchRules,
): Promise<ReadonlyMap<string, RunPlan>> {
  const cells: Cell[] = states
    .filter((state) => cellStanding(state, rules) !== 'settled')
    .map(({ cell }) => cell);
  const wanted = cells.flatMap(({ key }) => plans.get(key) ?? []);
  if (wanted.length === 0) return plans;
  const ready = await planning.ready(wanted);
  return new Map(
    cells.flatMap(({ key }, index) => {
      const plan = ready.plans[index];
      return plan === undefined ? [] : [[key, plan] as const];
    }),
  );
}
