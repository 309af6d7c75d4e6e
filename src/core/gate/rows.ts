import type { RunRecord } from '../results/record.ts';
import type { Reference } from './baseline.ts';
import { limitsOf, percent, type Tested } from './decide.ts';
import type { GateCase } from './gate-case.ts';
import { metrics, type MetricName } from './metric.ts';
import type { GateRow } from './report.ts';
import { isUnfinished } from './select-runs.ts';
import type { FoundSize } from './search-size.ts';

interface Subject {
  readonly case: GateCase;
  readonly metric: MetricName | null;
  readonly unit: string | null;
  readonly value?: number;
  readonly lower?: number | null;
  readonly upper?: number | null;
}

/** A row about which nothing is known yet. */
export function emptyRow(subject: Subject, runs: readonly RunRecord[]): GateRow {
  const { value, lower = null, upper = null } = subject;
  return {
    case: subject.case,
    metric: subject.metric,
    unit: subject.unit,
    status: 'inconclusive',
    reference: value === undefined ? null : { value, lower, upper },
    ...{ value: null, ratio: null, low: null, high: null, basis: null, pValue: null },
    launches: runs.length,
    runs: runs.map(({ runId }) => runId),
    reason: '',
    hint: null,
  };
}

/** A reference whose case was not run, or says nothing of the metric. */
export function missingRow(reference: Reference, candidates: readonly RunRecord[]): GateRow {
  const row = emptyRow(reference, candidates);
  const [first] = candidates;
  if (first === undefined) {
    return {
      ...row,
      status: 'missing',
      reason: 'not run since the reference',
    };
  }
  if (candidates.every(isUnfinished)) {
    return {
      ...row,
      status: 'missing',
      reason: `not run to its end: ${first.outcome.class}`,
    };
  }
  return { ...row, reason: `its runs do not say ${reference.metric}` };
}

/** The largest size found; it is one only where something larger did not fit. */
export function sizeRow(reference: Reference, found: FoundSize | null): GateRow {
  const empty = emptyRow(reference, []);
  if (found === null) {
    return {
      ...empty,
      status: 'missing',
      reason: 'no search found a size',
    };
  }
  const log = Math.log(found.value / reference.value);
  const ratio = found.value / reference.value;
  const row = {
    ...empty,
    ...{ value: found.value, ratio, low: ratio, high: ratio, basis: 'counted' as const },
    ...{ launches: found.runs.length, runs: found.runs },
  };
  const { worst, stale } = limitsOf(reference);
  const moved = `largest size ${percent(log)}`;
  if (log >= worst - 1e-9) {
    const isStale = log > stale + 1e-9;
    return { ...row, status: isStale ? 'improved' : 'pass', reason: `${moved}: within ${percent(worst)}` };
  }
  if (found.hasWall)
    return { ...row, status: 'regression', reason: `${moved}: a larger one was tried and did not fit` };
  return {
    ...row,
    reason: `${moved}: nothing larger was tried`,
    hint: 'let the search end: superoffload model-size',
  };
}

/** A row that was tested. */
export function testedRow(
  { reference, change, candidates }: Tested & { readonly candidates?: readonly RunRecord[] },
  decision: Pick<GateRow, 'status' | 'reason' | 'hint' | 'pValue'> | undefined,
): GateRow {
  if (decision === undefined) throw new Error(`${metrics[reference.metric].name} was not decided`);
  const { estimate } = change;
  return {
    ...emptyRow(reference, candidates ?? []),
    value: change.value,
    ratio: Math.exp(change.log),
    low: estimate === null ? null : Math.exp(estimate.low),
    high: estimate === null ? null : Math.exp(estimate.high),
    basis: change.basis,
    launches: change.launches,
    ...decision,
  };
}
