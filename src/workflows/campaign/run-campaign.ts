import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import {
  campaignPaths,
  lockCampaign,
  openCampaignJournal,
  readCampaign,
  writeCampaign,
  type CampaignJournal,
} from '../../adapters/campaign-store.ts';
import type { CampaignFile } from '../../core/campaign/campaign-file.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import {
  campaignChanges,
  describeChanges,
  isUnchanged,
  type CampaignChanges,
} from '../../core/campaign/changes.ts';
import { passes } from '../../core/campaign/filter.ts';
import { orderCells } from '../../core/campaign/order.ts';
import { cellStanding, type LaunchRules } from '../../core/campaign/state.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { driveCampaign, type Drive } from './drive.ts';
import { foresightOf } from './foresight.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import { CampaignProgress } from './progress.ts';
import { cellReports, countsOf, type CampaignCounts, type CellReport } from './report.ts';
import type { CampaignRequest, CampaignRules } from './request.ts';
import { earlierRuns } from './reuse.ts';
import { CampaignSession } from './session.ts';
import { starterOf } from './starter.ts';

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
  const mutex = await lockCampaign(home, request.name);
  try {
    await keepDefinition(context, request, planned);
    await rm(campaignPaths(home, request.name).cancel, { force: true });
    const journal = await openCampaignJournal(home, request.name);
    try {
      return await runLeft(context, request, rules, planned, journal);
    } finally {
      journal.close();
    }
  } finally {
    await mutex.release();
  }
}

/** Writes down what the campaign is, or sees that it still is. */
async function keepDefinition(
  context: Context,
  request: CampaignRequest,
  { cells, experimentHash }: PlannedCampaign,
): Promise<void> {
  const { name, experiment, options } = request;
  const stored = await readCampaign(context.home, name);
  if (stored !== undefined) {
    const changes = campaignChanges(stored.cells, cells);
    if (!isUnchanged(changes)) acceptOrRefuse(context, request, changes);
  }
  const createdUtc = stored?.createdUtc ?? utcNow(context);
  const file: CampaignFile = {
    schemaVersion: 1,
    ...{ name, experiment, experimentHash, createdUtc, options, cells },
  };
  if (JSON.stringify(stored) !== JSON.stringify(file)) await writeCampaign(context.home, file);
}

function acceptOrRefuse(
  { emit }: Context,
  { name, acceptChanges }: CampaignRequest,
  changes: CampaignChanges,
): void {
  const message = [`campaign ${name} is not what it was when it was stopped:`, ...describeChanges(changes)];
  if (acceptChanges) {
    emit({ type: 'warning', message: message.join('\n  ') });
    return;
  }
  throw new SuperOffloadError({
    code: 'usage',
    message: message.join('\n  '),
    hint:
      'to go on with the cases as they are now, keeping the results of those that are the same: add --accept-changes\n' +
      'to leave this campaign as it is: undo the change, or give the new one a --name',
  });
}

async function runLeft(
  context: Context,
  request: CampaignRequest,
  rules: CampaignRules,
  planned: PlannedCampaign,
  journal: CampaignJournal,
): Promise<CampaignResult> {
  const launchRules: LaunchRules = { ...request, retry: rules.retry };
  const starter = starterOf(request, planned);
  const earlier = await earlierRuns(context, planned.cells, planned.plans, request.repeat);
  const foresight = foresightOf(planned, earlier);
  const wanted = planned.cells.filter((cell) => passes(cell.case, rules.only));
  const ordered = orderCells(wanted, foresight.ofCell, starter.maxJobs > 1);
  const session = new CampaignSession(context, journal, ordered);
  noteStrays(context, journal, planned.cells);
  if (request.reuse) adopt(context, session, earlier, launchRules);
  const plans = await readyPlans(planned, session, launchRules);
  const deadlineMs = request.withinMs === null ? null : context.now() + request.withinMs;
  const { maxJobs } = starter;
  const options = () => {
    const expectedMs = foresight.after(session.states).of;
    return { ...launchRules, maxJobs, deadlineMs, expectedMs };
  };
  try {
    return await driveLeft(context, request.name, { session, plans, starter, options });
  } finally {
    await starter.close();
  }
}

async function driveLeft(
  context: Context,
  name: string,
  { session, plans, starter, options }: Pick<Drive, 'session' | 'plans' | 'starter' | 'options'>,
): Promise<CampaignResult> {
  const rules = options();
  const progress = new CampaignProgress(context, name, session, options);
  const { cancel } = campaignPaths(context.home, name);
  const isCancelled = (): boolean => existsSync(cancel);
  const { onChange } = progress;
  try {
    progress.begin();
    const drive = { session, plans, starter, repeat: rules.repeat, options, onChange, isCancelled };
    const { left } = await driveCampaign(progress.context, drive);
    return resultOf(context, name, session, rules, left.length);
  } catch (error) {
    context.emit({ type: 'note', message: keptText(name, countsOf(session.states, rules)) });
    throw error;
  } finally {
    progress.end();
  }
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

function resultOf(
  context: Context,
  name: string,
  { states }: CampaignSession,
  rules: LaunchRules,
  outOfTime: number,
): CampaignResult {
  return { name, cells: cellReports(context, states, rules), counts: countsOf(states, rules), outOfTime };
}

function keptText(name: string, { total, done, failed }: CampaignCounts): string {
  return (
    `${done + failed} of ${total} cases have a result; all of them are kept. ` +
    `To go on: superoffload campaign run ${name} --resume`
  );
}

/** Takes over what was measured already, oldest first. */
function adopt(
  { emit }: Context,
  session: CampaignSession,
  earlier: Awaited<ReturnType<typeof earlierRuns>>,
  rules: LaunchRules,
): void {
  let adopted = 0;
  for (const { cell } of session.states) {
    for (const record of [...(earlier.get(cell.key) ?? [])].reverse()) {
      const state = session.stateOf(cell.key);
      const isKnown = state?.attempts.some(({ runId }) => runId === record.runId) ?? true;
      if (isKnown || state === undefined || cellStanding(state, rules) === 'settled') continue;
      session.adopted(cell, record);
      adopted += 1;
    }
  }
  if (adopted === 0) return;
  const [what, verb] = adopted === 1 ? ['run', 'was'] : ['runs', 'were'];
  emit({
    type: 'note',
    message:
      `${adopted} ${what} of the same case, stack and system ${verb} there already and ${verb} taken over ` +
      '(--no-reuse measures anew)',
  });
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
