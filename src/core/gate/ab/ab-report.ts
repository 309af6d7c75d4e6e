import { unfairness } from '../../results/fairness.ts';
import type { Reference } from '../baseline.ts';
import { decide, type Tested } from '../decide.ts';
import { gateCaseOf } from '../gate-case.ts';
import { boundsOf, metrics, type MetricName } from '../metric.ts';
import { verdictOf, type GateReport, type GateRow } from '../report.ts';
import { emptyRow, testedRow } from '../rows.ts';
import type { AbStop } from './next.ts';
import { abChange, type Pair, type Turns } from './turns.ts';

export interface AbSummary {
  readonly base: string;
  readonly head: string;
  readonly metrics: readonly MetricName[];
  readonly threshold: number;
  readonly startedUtc: string;
  readonly stopped: AbStop;
}

/** The answer of an A/B, in the form of any gate: the base is the reference. */
export function abReport(turns: Turns, summary: AbSummary): GateReport {
  const rows = turns.failed === null ? pairRows(turns.pairs, summary) : [failedRow(turns)];
  return {
    verdict: verdictOf(rows),
    baseline: `${summary.base} (A), now ${summary.head} (B)`,
    startedUtc: summary.startedUtc,
    rows,
    notes: [...turns.notes, stopNote(turns, summary), ...differenceNotes(turns.pairs)],
  };
}

function pairRows(pairs: readonly Pair[], { metrics: names, threshold, stopped }: AbSummary): GateRow[] {
  const tested = names.flatMap((name) => testedOf(pairs, name, threshold) ?? []);
  const runs = pairs.flatMap(({ base, head }) => [base.runId, head.runId]);
  const decisions = decide(tested);
  return tested.map((each, index) => abRow({ ...testedRow(each, decisions[index]), runs }, stopped));
}

/** What a gate of stored runs advises (history, sessions, references) is nothing that an A/B has. */
function abRow(row: GateRow, stopped: AbStop): GateRow {
  if (row.status !== 'inconclusive') return { ...row, hint: null };
  const reason = row.low === null ? `${row.metric ?? ''}: too few pairs to tell` : row.reason;
  return { ...row, reason, hint: moreOf[stopped] };
}

/** What ended it is what has to give way. */
const moreOf: Readonly<Record<AbStop, string | null>> = {
  precise: 'more pairs narrow it: a smaller --precision, with --budget and --max-pairs that allow them',
  budget: 'more pairs narrow it: a larger --budget (minutes); or allow more: a larger --threshold',
  'max pairs':
    'more pairs narrow it: a larger --max-pairs (and --budget); or allow more: a larger --threshold',
  failed: null,
};

function testedOf(pairs: readonly Pair[], name: MetricName, threshold: number): Tested | null {
  const change = abChange(pairs, name);
  const [first] = pairs;
  if (change === null || first === undefined) return null;
  const metric = metrics[name];
  const reference: Reference = {
    case: gateCaseOf(first.head),
    metric: name,
    value: change.baseValue,
    ...boundsOf(metric, threshold),
    unit: metric.unit,
  };
  const basis = metric.kind === 'counted' ? 'counted' : 'between launches';
  const { estimate, headValue } = change;
  const log = Math.log(headValue / change.baseValue);
  return {
    reference,
    change: {
      value: headValue,
      log,
      estimate,
      basis,
      isKnown: estimate !== null,
      launches: 2 * pairs.length,
    },
  };
}

function failedRow({ failed, pairs }: Turns): GateRow {
  if (failed === null) throw new Error('nothing failed');
  const { record, side } = failed;
  const row = emptyRow({ case: gateCaseOf(record), metric: null, unit: null }, [record]);
  const reason = `${side === 'base' ? 'A (base)' : 'B (head)'}: ${record.outcome.class}: ${record.outcome.reason}`;
  const hint = `log: superoffload runs logs ${record.runId}`;
  return { ...row, status: 'failed', launches: 2 * pairs.length + 1, reason, hint };
}

function stopNote({ pairs }: Turns, { stopped }: AbSummary): string {
  const why = {
    precise: 'the interval is as narrow as was asked',
    budget: 'the budget is used up',
    'max pairs': 'no more pairs are run',
    failed: 'a run failed',
  }[stopped];
  return `${pairs.length} pairs in turns (A B B A); stopped: ${why}`;
}

/** What else differs between the two sides than what was meant to. */
function differenceNotes(pairs: readonly Pair[]): string[] {
  const last = pairs.at(-1);
  if (last === undefined) return [];
  return unfairness(last.head, last.base).map((reason) => `the sides differ in: ${reason}`);
}
