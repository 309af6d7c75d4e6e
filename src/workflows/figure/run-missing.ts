import { dataFolders, readExperiment } from '../../adapters/experiment-data.ts';
import { defaultRetry } from '../../core/campaign/retry-policy.ts';
import { defaultMaxRetries } from '../../core/campaign/state.ts';
import { listedChips } from '../../core/experiment/grid-batch.ts';
import type { Case } from '../../core/experiment/case.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { distinctTitles } from '../../core/experiment/setting-words.ts';
import type { FigureKey, FigureNumber } from '../../core/figures/figure-data.ts';
import { figureExperiments } from '../../core/figures/trial.ts';
import { campaignExitCode } from '../../core/results/exit-code.ts';
import { SuperOffloadError } from '../../errors.ts';
import { listCells, type ListedCell } from '../campaign/list-cells.ts';
import { planCampaign } from '../campaign/plan-campaign.ts';
import { findOrigin, readRules, type CampaignRequest } from '../campaign/request.ts';
import { runCampaign } from '../campaign/run-campaign.ts';
import type { Context } from '../context.ts';
import { searchFrontiers } from '../frontier/frontier.ts';
import { searchExitCode } from '../frontier/report.ts';
import { requireChips, requireRanks, resolveMachine } from '../machine.ts';
import { planModelSize } from '../model-size/plan-model-size.ts';
import { chosenRows, rowsLeftOut } from './chosen-rows.ts';
import { figureCommand } from './run-command.ts';
import type { PlanRequest } from '../plan/request.ts';

/** What `--run` runs with; absent is as the experiment has it. */
export interface RunMissing {
  readonly system: string;
  readonly stack: string;
  readonly flags: Pick<GridFlags, 'modes' | 'models' | 'steps' | 'dtype'>;
  /** Absent: all of the figure's that this machine has. */
  readonly chips?: number;
  readonly repeat: number;
  /** Of an ablation: only rows whose group or title has one of these; absent: all. */
  readonly rows?: readonly string[];
}

/** What was run for one number of chips, or would be. */
export interface RunReport {
  readonly figure: FigureKey;
  readonly chips: number;
  /** Name of the campaign; null of a search. */
  readonly campaign: string | null;
  /** Titles of what has no result yet, or, after it was run, had none. */
  readonly missing: readonly string[];
  /** Wall time that it is expected to take, or was, milliseconds; null where that is not known. */
  readonly expectedMs: number | null;
  /** As of the commands of campaigns and searches: 0, 3 or 4. */
  readonly exitCode: 0 | 3 | 4;
}

/**
 * Runs what a figure lacks on a machine: a campaign for figures 10 to 12, the search for the largest size for 13. What has
 * a result already is not run again; what was stopped goes on.
 * @throws SuperOffloadError 'environment' where nothing of it can run here; the signal's reason after an interruption.
 */
export async function runMissing(
  context: Context,
  figure: FigureNumber,
  run: RunMissing,
  dryRun: boolean,
): Promise<RunReport[]> {
  await requireHere(context, run);
  const reports: RunReport[] = [];
  let refused: SuperOffloadError | undefined;
  for (const chips of await chipsFor(context, figure, run)) {
    try {
      const work = { figure, chips, run, request: requestFor(run, chips, dryRun), dryRun };
      reports.push(
        await (figure === 13
          ? runSearches(context, work)
          : runCells(context, work, figureExperiments[figure])),
      );
    } catch (error) {
      const isExpected = error instanceof SuperOffloadError && ['usage', 'environment'].includes(error.code);
      if (!isExpected || run.chips !== undefined || context.signal.aborted) throw error;
      refused ??= error;
      const message = `figure ${figure}: nothing is run on ${chips} chip${chips === 1 ? '' : 's'}: ${error.message}`;
      context.emit({ type: 'note', message });
    }
  }
  if (reports.length === 0 && refused !== undefined) throw refused;
  return reports;
}

/**
 * Chips that were asked for by number, in a dry run too: it says what would run here.
 * @throws SuperOffloadError 'usage' or 'environment' where this machine has not so many.
 */
async function requireHere(context: Context, { system, chips }: RunMissing): Promise<void> {
  if (chips === undefined) return;
  const machine = await resolveMachine(context, system);
  if (machine.system.site.scheduler !== 'local') return;
  requireChips(machine, chips, context.env);
  requireRanks(machine, chips);
}

/** The experiment's numbers of chips that a machine can have; of a machine between them its own. */
async function chipsFor(
  context: Context,
  figure: FigureNumber,
  { system: name, chips }: RunMissing,
): Promise<number[]> {
  if (chips !== undefined) return [chips];
  const { system } = await resolveMachine(context, name);
  const experiment = readExperiment(figureExperiments[figure], dataFolders(context));
  const listed = listedChips(experiment[system.accelerator]);
  const wanted = figure === 10 ? [1] : figure === 11 ? listed.filter((count) => count > 1) : listed;
  const isHere = system.site.scheduler === 'local';
  const here = isHere ? wanted.filter((count) => count <= system.chipsPerNode) : wanted;
  return here.length > 0 ? here : [figure === 10 || figure === 13 ? 1 : Math.max(2, system.chipsPerNode)];
}

function requestFor({ flags, system, stack }: RunMissing, chips: number, dryRun: boolean): PlanRequest {
  return {
    flags: { ...flags, chips },
    system,
    stack,
    launcher: null,
    bindCores: false,
    scheduling: {},
    maxError: null,
    limits: {},
    configFile: null,
    dryRun,
    allowDrift: false,
  };
}

/**
 * Runs what an experiment lacks on one chip, as a campaign that is called as the figure.
 * @throws SuperOffloadError as {@link runMissing}.
 */
export async function runExperiment(
  context: Context,
  figure: Exclude<FigureKey, FigureNumber>,
  run: RunMissing,
  dryRun: boolean,
): Promise<RunReport> {
  await requireHere(context, run);
  const { chips = 1, rows, system } = run;
  const isWanted = rows === undefined ? undefined : await chosenRows(context, figure, { system, rows });
  const work = { figure, chips, run, request: requestFor(run, chips, dryRun), dryRun };
  return runCells(context, { ...work, ...(isWanted === undefined ? {} : { isWanted }) }, figure);
}

interface Work {
  readonly figure: FigureKey;
  readonly chips: number;
  readonly run: RunMissing;
  readonly request: PlanRequest;
  readonly dryRun: boolean;
  /** Which of the experiment's cases; absent: all. */
  readonly isWanted?: (subject: Case) => boolean;
}

/** As `campaign run` of `throughput` and its like: a run is stopped once it is this sure. */
const maxError = 0.02;

async function runCells(context: Context, work: Work, experiment: string): Promise<RunReport> {
  const { figure, chips, run, request: plain, dryRun, isWanted = () => true } = work;
  const campaign = `figure${figure === 'ablation' ? '-ablation' : figure}-${chips}chip`;
  const { stored } = await findOrigin(context, experiment, { name: campaign, resume: false });
  const request: CampaignRequest = {
    ...plain,
    ...{ name: campaign, experiment, options: optionsOf(run, chips), filter: [], only: [] },
    // What the figure wants now is run, whatever an earlier call wanted.
    ...{ resume: stored !== null, acceptChanges: true, reuse: true },
    ...{ repeat: run.repeat, retry: defaultRetry, maxRetries: defaultMaxRetries, maxError },
    ...{ maxJobs: null, withinMs: null, array: false, allocation: false, goOn: figureCommand(figure, run) },
  };
  const rules = readRules(request);
  const all = await planCampaign(context, request, rules);
  const planned = { ...all, cells: all.cells.filter((cell) => isWanted(cell.case)) };
  if (all.cells.length === 0) throw nothingToRun(all.leftOut.map(({ reason }) => reason));
  if (planned.cells.length === 0) throw rowsLeftOut(run.rows ?? []);
  const cells = await listCells(context, request, rules, planned);
  const left = cells.filter(({ state, lacking }) => state === 'left' && lacking > 0);
  const missing = distinctTitles(left.map(({ cell }) => cell));
  const bare = { figure, chips, campaign, missing, expectedMs: expectedOf(left) };
  if (missing.length > 0) for (const message of planned.notes) context.emit({ type: 'note', message });
  if (dryRun || missing.length === 0) return { ...bare, exitCode: 0 };
  const result = await runCampaign(context, request, rules, planned);
  const exitCode = campaignExitCode(result.cells, { unsupportedAskedFor: false });
  return { ...bare, exitCode };
}

/** Of all launches that are missing. */
function expectedOf(left: readonly ListedCell[]): number | null {
  const each = left.map(({ expectedMs, lacking }) => (expectedMs === null ? null : expectedMs * lacking));
  return each.reduce((sum, ms) => (sum === null || ms === null ? null : sum + ms), 0);
}

/** As `campaign run` takes them, so that it can go on with the campaign by its name alone. */
function optionsOf(
  { flags, system, stack, repeat }: RunMissing,
  chips: number,
): Readonly<Record<string, unknown>> {
  const { modes: mode, models: model, ...others } = flags;
  const given = Object.entries({ chips, system, stack, repeat, mode, model, ...others });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

async function runSearches(context: Context, work: Work): Promise<RunReport> {
  const { figure, chips, request, run, dryRun } = work;
  const plan = await planModelSize(context, { ...request, resolution: null, fresh: false });
  if (plan.searches.length === 0) throw nothingToRun(plan.skipped.map(({ reason }) => reason));
  const missing = plan.searches.map(
    ({ mode }) => `largest size of ${mode} on ${chips} chip${chips === 1 ? '' : 's'}`,
  );
  const bare = { figure, chips, campaign: null, missing, expectedMs: null };
  for (const message of plan.notes) context.emit({ type: 'note', message });
  if (dryRun) return { ...bare, exitCode: 0 };
  try {
    return { ...bare, exitCode: searchExitCode(plan, await searchFrontiers(context, plan)) };
  } finally {
    if (context.signal.aborted) {
      const message = `all launches that ended are kept. To go on: ${figureCommand(figure, run)}`;
      context.emit({ type: 'note', message });
    }
  }
}

function nothingToRun(reasons: readonly string[]): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: ['nothing of the figure can run here', ...new Set(reasons)].join('\n'),
    hint: 'choose another --system or --chips; without --run, what is predicted and published is drawn',
  });
}
