import { readRecord } from '../../adapters/stored-runs.ts';
import type { Cell, CellVariant } from '../../core/campaign/cell.ts';
import { standingOf } from '../../core/campaign/retry-policy.ts';
import {
  cellStanding,
  goodLaunches,
  launchCounts,
  lostLaunches,
  speakingAttempt,
  type CellState,
  type LaunchCounts,
  type LaunchRules,
} from '../../core/campaign/state.ts';
import type { OutcomeClass } from '../../core/logs/events.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { summarizeCases } from '../../core/results/summarize.ts';
import { keptBatches } from '../../core/search/batch-rule.ts';
import type { StepStatistics } from '../../core/stats/steps.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** One cell of a campaign, for a table. */
export interface CellReport {
  readonly key: string;
  readonly caseId: string;
  readonly title: string;
  readonly case: Cell['case'];
  /** `done`: it has its answer. `failed`: its last launch ended badly and no other is granted. `left`: it has launches to
   * come. `running`: it has one under way, or one that nobody follows. */
  readonly state: 'done' | 'failed' | 'left' | 'running';
  /** How the launch that speaks for it ended; null before the first. */
  readonly outcome: OutcomeClass | null;
  readonly runId: string | null;
  /** The runs of the cell, oldest first, adopted ones included. */
  readonly runIds: readonly string[];
  /** Launches that were lost to what was around them. */
  readonly lost: number;
  /** Where the rule for the batch added it. */
  readonly variant: CellVariant | null;
  /** In place of a cell that ran out of memory: the batch that counts by the paper's rule. */
  readonly isBest: boolean;
  /** True where the launch that speaks for it is of another campaign, or of none. */
  readonly adopted: boolean;
  readonly durationMs: number | null;
  /** Of the launch that speaks for it; where several ended well, of all of them. */
  readonly medianStepMs: number | null;
  readonly interval: StepStatistics['interval'];
  readonly modelTflopsPerGpu: number | null;
  readonly gpuGiB: number | null;
  readonly hostGiB: number | null;
}

export interface CampaignCounts {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly left: number;
  /** Cells with the result of a launch, `done` and `failed` ones among them. */
  readonly withResult: number;
  /** Over all cells: with repeats a cell has several. */
  readonly launches: LaunchCounts;
}

/** @returns what became of every cell, with the numbers of the run that speaks for it. */
export function cellReports(
  context: Pick<Context, 'home'>,
  states: readonly CellState[],
  rules: LaunchRules,
): CellReport[] {
  const reports = states.map((state) => cellReport(context, state, rules));
  const best = new Set(reports.flatMap(({ variant }) => fastest(reports, variant) ?? []));
  return reports.map((report) => (best.has(report.key) ? { ...report, isBest: true } : report));
}

/** @returns the key of the batch that counts in place of a cell that ran out of memory; undefined where none ran. */
function fastest(reports: readonly CellReport[], variant: CellVariant | null): string | undefined {
  if (variant === null) return undefined;
  const ran = reports.filter((each) => each.variant?.of === variant.of && each.outcome === 'ok');
  const batches = ran.map(({ key, case: subject, modelTflopsPerGpu: modelTflops }) => {
    return { key, subject, modelTflops };
  });
  return keptBatches(batches)[0]?.key;
}

function cellReport(context: Pick<Context, 'home'>, state: CellState, rules: LaunchRules): CellReport {
  const { cell, attempts } = state;
  const speaking = speakingAttempt(state);
  const record = speaking === null ? null : recordOf(context, speaking.runId);
  return {
    key: cell.key,
    caseId: cell.caseId,
    title: cell.title,
    case: cell.case,
    state: stateOf(state, rules),
    outcome: speaking?.outcome ?? null,
    runId: speaking?.runId ?? null,
    runIds: attempts.map(({ runId }) => runId),
    lost: lostLaunches(state, rules),
    variant: cell.variant ?? null,
    isBest: false,
    adopted: speaking?.adopted ?? false,
    durationMs: speaking?.durationMs ?? null,
    ...speedOf(context, state, record),
    gpuGiB: record?.memory.gpuAllocatedGiB ?? null,
    hostGiB: record?.memory.hostGiB ?? null,
  };
}

/** As throughput's table takes it: launches say how much launches differ, one alone only how much its steps do. */
function speedOf(
  context: Pick<Context, 'home'>,
  { attempts }: CellState,
  record: RunRecord | null,
): Pick<CellReport, 'medianStepMs' | 'interval' | 'modelTflopsPerGpu'> {
  const good = attempts.filter(({ outcome }) => outcome === 'ok');
  const records = good.length < 2 ? [] : good.flatMap(({ runId }) => recordOf(context, runId) ?? []);
  const [all] = records.length < 2 ? [] : summarizeCases(records);
  return {
    medianStepMs: all?.stepMs ?? record?.statistics?.medianMs ?? null,
    interval: all === undefined ? (record?.statistics?.interval ?? null) : all.interval,
    modelTflopsPerGpu: (all ?? record)?.throughput.modelTflopsPerGpu ?? null,
  };
}

export function stateOf(state: CellState, rules: LaunchRules): CellReport['state'] {
  switch (cellStanding(state, rules)) {
    case 'open':
      return 'running';
    case 'todo':
    case 'stopped':
      return 'left';
    case 'settled': {
      const outcome = speakingAttempt(state)?.outcome ?? null;
      return outcome !== null && standingOf(outcome) === 'answer' ? 'done' : 'failed';
    }
  }
}

/** @param underway cells that are running, whatever the journal says */
export function countsOf(
  states: readonly CellState[],
  rules: LaunchRules,
  underway: ReadonlySet<string> = new Set(),
): CampaignCounts {
  const counts = { done: 0, failed: 0, running: 0, left: 0 };
  for (const state of states) counts[underway.has(state.cell.key) ? 'running' : stateOf(state, rules)] += 1;
  return {
    ...{ total: states.length, ...counts },
    withResult: states.filter((state) => hasResult(state, rules)).length,
    launches: launchCounts(states, rules),
  };
}

/** Of two launches wanted one may be there: it is kept, shown and used. */
function hasResult(state: CellState, rules: LaunchRules): boolean {
  return goodLaunches(state) > 0 || cellStanding(state, rules) === 'settled';
}

function recordOf({ home }: Pick<Context, 'home'>, runId: string): RunRecord | null {
  const record = readRecord(home, runId);
  return record instanceof SuperOffloadError ? null : record;
}
