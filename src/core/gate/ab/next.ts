import type { MetricName } from '../metric.ts';
import { abChange, type Turns } from './turns.ts';

export interface AbLimits {
  /** Half width of the 95% interval of the ratio, as a share, at which it is enough. */
  readonly precision: number;
  readonly budgetMs: number;
  /** Fewer are never enough: a neighbour that is busy for a minute slows both launches in the middle of A B B A. */
  readonly minPairs: number;
  readonly maxPairs: number;
  /** The metric that the precision is of. */
  readonly metric: MetricName;
}

/** Whole blocks A B B A: of an odd number of pairs one order has been first more often. */
const blockPairs = 2;

export type AbStop = 'failed' | 'precise' | 'budget' | 'max pairs';

/**
 * Whether another pair is run, and if not why. It stops at precision and never at a difference: who stops when it is
 * significant finds differences that are not there (Chow and Robbins 1965 for the rule that is used here).
 * @param spentMs of the budget
 * @returns null: run another pair
 */
export function whyStop(turns: Turns, spentMs: number, limits: AbLimits): AbStop | null {
  const { pairs, failed } = turns;
  if (failed !== null) return 'failed';
  // Runs that are cancelled over and over come to no pair, and end all the same.
  if (pairs.length < Math.max(blockPairs, limits.minPairs)) {
    return spentMs > limits.budgetMs ? 'budget' : null;
  }
  if (pairs.length % blockPairs === 0 && precisionOf(turns, limits.metric) <= limits.precision)
    return 'precise';
  if (pairs.length >= limits.maxPairs) return 'max pairs';
  return spentMs + pairMs(turns) > limits.budgetMs ? 'budget' : null;
}

/** Half width of the 95% interval of the ratio as a share of it, the wider side; Infinity where there is none. */
export function precisionOf({ pairs }: Turns, metric: MetricName): number {
  const estimate = abChange(pairs, metric)?.estimate ?? null;
  if (estimate === null) return Number.POSITIVE_INFINITY;
  const { mean, low, high } = estimate;
  return Math.max(Math.expm1(high - mean), -Math.expm1(low - mean));
}

/** How far it is: a ratio that may as well be the half or the double is none that anybody knows. */
export function precisionText(precision: number, wanted: number): string {
  const share = (value: number): string => `${(value * 100).toFixed(1)}%`;
  const known = precision < 0.5 ? `ratio known to ${share(precision)}` : 'cannot tell the ratio yet';
  return `${known}, asked for ${share(wanted)}`;
}

/** What the next pair will take: as long as the longest so far. */
function pairMs({ pairs }: Turns): number {
  const durations = pairs.map(({ base, head }) => (base.durationMs ?? 0) + (head.durationMs ?? 0));
  return Math.max(0, ...durations);
}
