import { median } from './median.ts';
import { medianInterval } from './median-interval.ts';
import { meanInterval } from './student-t.ts';
import { countWarmUpSteps } from './warm-up.ts';

export interface Ratio {
  /** Speed of `candidate` against `baseline`: above 1 is faster. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly basis: 'between launches' | 'within one run';
  /** Pairs of launches; 1 for a ratio within one run. */
  readonly pairs: number;
}

/**
 * Speed-up from launches that were run in turns (A B A B ...): the i-th of one is paired with the i-th of the other,
 * so that what drifts over the hours cancels. Student's t on the pairs' log ratios; a percentile bootstrap of
 * three to five pairs, the number people can afford, would cover far less than the 95% it claims.
 * @param baselineMedianMs one median step time a launch, in order
 * @returns null of fewer than two pairs
 */
export function pairedRatio(
  baselineMedianMs: readonly number[],
  candidateMedianMs: readonly number[],
): Ratio | null {
  const pairs = Math.min(baselineMedianMs.length, candidateMedianMs.length);
  if (pairs < 2) return null;
  const logs = Array.from({ length: pairs }, (_, index) =>
    Math.log((baselineMedianMs[index] ?? Number.NaN) / (candidateMedianMs[index] ?? Number.NaN)),
  );
  const { mean, halfWidth } = meanInterval(logs);
  return {
    ratio: Math.exp(mean),
    low: Math.exp(mean - halfWidth),
    high: Math.exp(mean + halfWidth),
    basis: 'between launches',
    pairs,
  };
}

/**
 * Speed-up from one run of each. Its interval joins the ends of both runs' own intervals, so it is wide, and it
 * knows nothing of how much a second launch would differ: hence the label.
 * @param baselineMs step times with warm-up
 * @returns null where a run has fewer than two steps after warm-up
 */
export function ratioWithinRuns(baselineMs: ArrayLike<number>, candidateMs: ArrayLike<number>): Ratio | null {
  const [baseline, candidate] = [steady(baselineMs), steady(candidateMs)];
  const [below, above] = [medianInterval(baseline), medianInterval(candidate)];
  if (below === null || above === null) return null;
  return {
    ratio: median(baseline) / median(candidate),
    low: below.low / above.high,
    high: below.high / above.low,
    basis: 'within one run',
    pairs: 1,
  };
}

function steady(stepMs: ArrayLike<number>): Float64Array {
  return Float64Array.from(stepMs).subarray(countWarmUpSteps(stepMs));
}
