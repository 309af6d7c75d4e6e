import { effectiveSamples } from './autocorrelation.ts';
import { sortedQuantile } from './median.ts';

export interface MedianInterval {
  readonly low: number;
  readonly high: number;
  /** What the samples allow: 0.95, or less where there are too few, and then the interval is their range. */
  readonly confidence: number;
}

export const nominalConfidence = 0.95;

/**
 * Confidence interval of the median from order statistics: the number of samples below the true median is
 * Binomial(n, 1/2), whatever the distribution (Conover, "Practical Nonparametric Statistics", 3.2). Steps of one
 * run are not independent, so n is the effective number of samples (autocorrelation.ts), and the order
 * statistics are taken at the same shares of the real ones.
 * @returns null of fewer than two values
 */
export function medianInterval(values: ArrayLike<number>): MedianInterval | null {
  if (values.length < 2) return null;
  const sorted = Float64Array.from(values).sort();
  const effective = Math.max(1, Math.floor(effectiveSamples(values)));
  const below = orderStatistic(effective);
  if (below === 0) {
    const confidence = Math.min(nominalConfidence, 1 - 2 * 0.5 ** effective);
    return { low: sortedQuantile(sorted, 0), high: sortedQuantile(sorted, 1), confidence };
  }
  // The k-th of m order statistics lies at share (k - 1) / (m - 1) of the sorted samples.
  const share = (below - 1) / (effective - 1);
  return {
    low: sortedQuantile(sorted, share),
    high: sortedQuantile(sorted, 1 - share),
    confidence: nominalConfidence,
  };
}

/** @returns the largest k with P(Binomial(n, 1/2) < k) <= 2.5%, so that [x(k), x(n+1-k)] covers 95%; 0 if none */
function orderStatistic(count: number): number {
  if (count > 1000) return Math.floor(count / 2 - 0.98 * Math.sqrt(count));
  let term = 0.5 ** count;
  let cumulative = term;
  let k = 0;
  while (cumulative <= (1 - nominalConfidence) / 2) {
    k += 1;
    term *= (count - k + 1) / k;
    cumulative += term;
  }
  return k;
}
