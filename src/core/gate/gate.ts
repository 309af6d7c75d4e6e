import { systemLabel } from '../results/system-label.ts';
import { isAnswer } from '../results/exit-code.ts';
import { isAbLaunch } from '../results/ab-launch.ts';
import { isMeasured } from '../results/summarize.ts';
import type { RunRecord } from '../results/record.ts';
import type { Baseline, Reference } from './baseline.ts';
import { decide, type Tested } from './decide.ts';
import { changeOf } from './estimate.ts';
import { excuse } from './expected.ts';
import { caseTitle, gateCaseOf, keyOf, searchCaseOf } from './gate-case.ts';
import { boundsOf, metrics, type MetricName } from './metric.ts';
import { verdictOf, type GateReport, type GateRow } from './report.ts';
import { foundSizes, isSearchProbe } from './search-size.ts';
import { isUnfinished, selectRuns } from './select-runs.ts';
import { updateCommand, withNextStep } from './next-step.ts';
import { emptyRow, missingRow, sizeRow, testedRow } from './rows.ts';

export interface GateOptions {
  /** In place of every reference's own bound on the worse side; null keeps those. */
  readonly threshold: number | null;
  /** null: all that the baseline has. */
  readonly metrics: readonly MetricName[] | null;
  readonly historyLimit: number;
  readonly trusted: 'sessions' | 'launches';
  readonly allowMissing: boolean;
  /** `2026-12-31`, UTC: for what is excused until a day. */
  readonly today: string;
}

export interface GateInput {
  readonly baseline: Baseline;
  readonly baselineName: string;
  /** The baseline is a file whose noise already holds what ran before it. */
  readonly holdsPast: boolean;
  readonly startedUtc: string;
  /** What the user named to be held against the baseline; null: of each case the newest session since. */
  readonly named: readonly RunRecord[] | null;
  readonly stored: readonly RunRecord[];
  readonly options: GateOptions;
}

/** Holds runs against references: the whole decision, from values to values. */
export function runGate(input: GateInput): GateReport {
  const { baseline, options } = input;
  const references = baseline.references
    .filter(({ metric }) => options.metrics === null || options.metrics.includes(metric))
    .map((reference) => withThreshold(reference, options.threshold));
  const rows = [...referenceRows(references, input), ...newRows(baseline, input)];
  const judged = excuse(rows, baseline.expectedFailures, options.today);
  const { notes } = judged;
  const excused = judged.rows.map((row) => withNextStep(row, input));
  const counted = options.allowMissing ? excused.filter(({ status }) => status !== 'missing') : excused;
  return {
    verdict: verdictOf(counted),
    baseline: input.baselineName,
    startedUtc: input.startedUtc,
    rows: excused,
    notes: [...notes, ...emptyNotes(references, input)],
  };
}

function emptyNotes(
  references: readonly Reference[],
  { options, holdsPast, baselineName }: GateInput,
): string[] {
  if (references.length > 0) return [];
  const which = options.metrics === null ? '' : ` of ${options.metrics.join(', ')}`;
  const fill = holdsPast ? `; fill it: ${updateCommand(baselineName)}` : '';
  return [`the baseline has no reference${which}: nothing was held against anything${fill}`];
}

function withThreshold(reference: Reference, threshold: number | null): Reference {
  if (threshold === null) return reference;
  const metric = metrics[reference.metric];
  const bounds = boundsOf(metric, threshold);
  return metric.worse === 'down'
    ? { ...reference, lower: bounds.lower }
    : { ...reference, upper: bounds.upper };
}

function referenceRows(references: readonly Reference[], input: GateInput): GateRow[] {
  const { options } = input;
  const named = input.named === null ? null : groupByKey(input.named);
  const stored = groupByKey(input.stored);
  const sizes = foundSizes(input.named ?? input.stored);
  const tested: Tested[] = [];
  const rows = references.map((reference): GateRow | Tested => {
    const key = keyOf(reference.case);
    if (metrics[reference.metric].kind === 'searched') return sizeRow(reference, sizes.get(key) ?? null);
    const pool = {
      named: named === null ? null : (named.get(key) ?? []),
      stored: stored.get(key) ?? [],
      historyLimit: options.historyLimit,
      holdsPast: input.holdsPast,
    };
    const { candidates, history } = selectRuns(reference, pool);
    const row = failedRow(reference, candidates);
    if (row !== null) return row;
    const change = changeOf({ reference, candidates, history, trusted: options.trusted });
    if (change === null) return missingRow(reference, candidates);
    const one = { reference, change, candidates };
    tested.push(one);
    return one;
  });
  const decisions = new Map(decide(tested).map((decision, index) => [tested[index], decision]));
  return rows.map((row) => ('status' in row ? row : testedRow(row, decisions.get(row))));
}

function failedRow(reference: Reference, candidates: readonly RunRecord[]): GateRow | null {
  const failed = candidates.find((record) => !isMeasured(record) && !isUnfinished(record));
  if (failed === undefined) return null;
  return { ...emptyRow(reference, candidates), status: 'failed', ...failureText(failed) };
}

function failureText(record: RunRecord): Pick<GateRow, 'reason' | 'hint'> {
  const { outcome, runId } = record;
  return { reason: `${outcome.class}: ${outcome.reason}`, hint: `log: superoffload runs logs ${runId}` };
}

/** Cases that were named and have no reference: said, and failed where they broke. */
function newRows({ references }: Baseline, { named }: GateInput): GateRow[] {
  if (named === null) return [];
  const known = new Set(references.map((reference) => keyOf(reference.case)));
  const rows: GateRow[] = [];
  for (const [key, records] of groupByKey(named)) {
    const [first] = records;
    if (first === undefined || known.has(key) || isKnownSearch(first, known)) continue;
    const subject = gateCaseOf(first);
    const broken = records.find(({ outcome }) => !isAnswer(outcome.class));
    const row = { ...emptyRow({ case: subject, metric: null, unit: null }, records), reference: null };
    const text = {
      reason: `${caseTitle(subject)} has no reference`,
      hint: null,
    };
    const isBroken = broken !== undefined && !isUnfinished(broken);
    rows.push(
      isBroken ? { ...row, status: 'failed', ...failureText(broken) } : { ...row, status: 'new', ...text },
    );
  }
  return rows;
}

function isKnownSearch(record: RunRecord, known: ReadonlySet<string>): boolean {
  const search = isSearchProbe(record) ? searchCaseOf(record) : null;
  return search !== null && known.has(keyOf(search));
}

/** @returns the runs of each case, in the order given. */
export function groupByKey(records: readonly RunRecord[]): Map<string, RunRecord[]> {
  const groups = new Map<string, RunRecord[]>();
  // A case id says all of a case in few characters: of thousands of runs few cases are looked at.
  const keys = new Map<string, string>();
  for (const record of records) {
    const name = `${record.caseId} ${isAbLaunch(record)} ${record.worldSize} ${systemLabel(record.system)}`;
    const key = keys.get(name) ?? keyOf(gateCaseOf(record));
    keys.set(name, key);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return groups;
}
