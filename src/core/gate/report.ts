import type { GateCase } from './gate-case.ts';
import type { MetricName } from './metric.ts';
import type { NoiseBasis } from './estimate.ts';

export type RowStatus =
  /** The whole interval lies within the threshold. */
  | 'pass'
  /** Better than the reference's other bound, past the noise: the reference is stale. */
  | 'improved'
  /** Past the threshold and past the noise. */
  | 'regression'
  /** Neither can be said. */
  | 'inconclusive'
  /** A run of the case failed. */
  | 'failed'
  /** Failed or regressed as declared. */
  | 'expected'
  /** In the baseline, not run. */
  | 'missing'
  /** Run, not in the baseline. */
  | 'new';

/** One reference, or one case that has none. */
export interface GateRow {
  readonly case: GateCase;
  /** null for a case without a reference. */
  readonly metric: MetricName | null;
  readonly unit: string | null;
  readonly status: RowStatus;
  readonly reference: {
    readonly value: number;
    readonly lower: number | null;
    readonly upper: number | null;
  } | null;
  readonly value: number | null;
  /** Value over reference, with its 95% interval. */
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly basis: NoiseBasis | null;
  /** One-sided, adjusted for all references of this gate; null where nothing was tested. */
  readonly pValue: number | null;
  readonly launches: number;
  readonly runs: readonly string[];
  /** One sentence. */
  readonly reason: string;
  readonly hint: string | null;
}

export type Verdict = 'pass' | 'regression' | 'inconclusive' | 'failed';

export interface GateReport {
  readonly verdict: Verdict;
  /** What the rows were held against: a file, a tag, a campaign; or the two sides of an A/B. */
  readonly baseline: string;
  readonly startedUtc: string;
  readonly rows: readonly GateRow[];
  readonly notes: readonly string[];
}

/** The rule in one sentence, printed with every answer. */
export const gateRule =
  'a regression is a ratio past the threshold whose one-sided p value is below 1% over all references together ' +
  '(Benjamini and Hochberg); a pass is a 95% interval that lies within the threshold; all else is inconclusive';

/**
 * What the rows come to together: a broken case outranks a slow one, and a slow one an open question. Nothing compared
 * is no pass: neither no row at all nor cases without a reference.
 */
export function verdictOf(rows: readonly GateRow[]): Verdict {
  const has = (...statuses: readonly RowStatus[]): boolean =>
    rows.some(({ status }) => statuses.includes(status));
  if (has('failed')) return 'failed';
  if (has('regression')) return 'regression';
  return rows.every(({ status }) => status === 'new') || has('inconclusive', 'missing')
    ? 'inconclusive'
    : 'pass';
}

/** Exit codes of a gate (src/errors.ts): 0, 5, 6, and 4 for a failed run. */
export function gateExitCode(verdict: Verdict): 0 | 4 | 5 | 6 {
  return ({ pass: 0, failed: 4, regression: 5, inconclusive: 6 } as const)[verdict];
}
