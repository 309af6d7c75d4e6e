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

/** A deviation of fewer launches is no estimate that one launch of the other side could be held against. */
const minSpreadLaunches = 3;

/**
 * Speed-up from launches that were not run in turns, by Welch's t on the logarithms (Welch 1947: neither side need vary
 * as the other does). One launch of a side is held against the spread of three or more of the other, which is taken for
 * its own too. What drifts from one session to the next is in the ratio, and not in its interval.
 * @param baselineMedianMs one median step time a launch
 * @returns null where one has no launch, or where neither has enough to know the spread
 */
export function independentRatio(
  baselineMedianMs: readonly number[],
  candidateMedianMs: readonly number[],
): Ratio | null {
  const [baseline, candidate] = [sampleOf(baselineMedianMs), sampleOf(candidateMedianMs)];
  const spread = spreadOf(baseline, candidate);
  if (spread === null) return null;
  const mean = baseline.mean - candidate.mean;
  // Of launches that do not differ at all any number of degrees gives the same.
  const halfWidth = spread.error === 0 ? 0 : spread.error * studentTQuantile(0.975, spread.degrees);
  return {
    ratio: Math.exp(mean),
    low: Math.exp(mean - halfWidth),
    high: Math.exp(mean + halfWidth),
    basis: 'between launches',
    pairs: 0,
  };
}

interface Sample {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function sampleOf(medianMs: readonly number[]): Sample {
  const { mean, deviation } = momentsOf(medianMs.map(Math.log));
  return { count: medianMs.length, mean, variance: deviation ** 2 };
}

/** Standard error of the difference of two means, with its degrees of freedom (Welch and Satterthwaite). */
function spreadOf(a: Sample, b: Sample): { readonly error: number; readonly degrees: number } | null {
  const [few, many] = a.count < b.count ? [a, b] : [b, a];
  if (few.count === 0 || (few.count === 1 && many.count < minSpreadLaunches)) return null;
  if (few.count === 1) {
    return { error: Math.sqrt(many.variance * (1 + 1 / many.count)), degrees: many.count - 1 };
  }
  const [x, y] = [a.variance / a.count, b.variance / b.count];
  // Of two launches Welch's degrees are known so badly that 95% would cover 90%: the fewest possible are taken.
  const degrees = few.count === 2 ? 1 : (x + y) ** 2 / (x ** 2 / (a.count - 1) + y ** 2 / (b.count - 1));
  return { error: Math.sqrt(x + y), degrees };
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
