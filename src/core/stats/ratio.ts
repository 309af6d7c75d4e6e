import { median } from './median.ts';
import { medianInterval } from './median-interval.ts';
import { momentsOf } from './mean-test.ts';
import { meanInterval } from './student-t.ts';
import { studentTQuantile } from './student-t-distribution.ts';
import { countWarmUpSteps } from './warm-up.ts';

export interface Ratio {
  /** Speed of `candidate` against `baseline`: above 1 is faster. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly basis: 'between launches' | 'within one run';
  /** Pairs of launches; 1 for a ratio within one run, 0 for launches that were not run in turns. */
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
 * Speed-up from launches that were not run in turns, by Welch's t on the logarithms (Welch 1947: neither side need vary
 * as the other does). What drifts from one session to the next is in the ratio, and not in its interval.
 * @param baselineMedianMs one median step time a launch
 * @returns null where one has fewer than two launches
 */
export function independentRatio(
  baselineMedianMs: readonly number[],
  candidateMedianMs: readonly number[],
): Ratio | null {
  const [baseline, candidate] = [baselineMedianMs, candidateMedianMs].map((values) => values.map(Math.log));
  if (baseline === undefined || candidate === undefined || baseline.length < 2 || candidate.length < 2)
    return null;
  const sides = [baseline, candidate].map((logs) => {
    const { mean, deviation } = momentsOf(logs);
    return { mean, variance: deviation ** 2 / logs.length, degrees: logs.length - 1 };
  });
  const variance = sides.reduce((sum, side) => sum + side.variance, 0);
  // Welch and Satterthwaite; of launches that do not differ at all any number of degrees gives the same.
  const degrees =
    variance === 0
      ? 1
      : variance ** 2 / sides.reduce((sum, side) => sum + side.variance ** 2 / side.degrees, 0);
  const mean = (sides[0]?.mean ?? 0) - (sides[1]?.mean ?? 0);
  const halfWidth = Math.sqrt(variance) * studentTQuantile(0.975, degrees);
  return {
    ratio: Math.exp(mean),
    low: Math.exp(mean - halfWidth),
    high: Math.exp(mean + halfWidth),
    basis: 'between launches',
    pairs: 0,
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
