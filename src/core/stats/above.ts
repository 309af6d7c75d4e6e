import { median } from './median.ts';
import { nominalConfidence } from './median-interval.ts';
import { summarizeSteps } from './steps.ts';

/**
 * Fewer steps after warm-up never end a run: six independent ones are the fewest whose interval of the median covers
 * 95% (core/stats/median-interval.ts), so that one slow step, or a slow start, is never taken for a slow run.
 */
export const minAbandonSamples = 6;

/**
 * Whether the steps of a run lie above a limit for certain, so that it can be given up: enough steps after warm-up, the
 * whole 95% interval of their median above it, and the newest half of them too, as a run may still become faster.
 *
 * It is asked after every step, and whoever asks often enough finds what is not there; the rule is for a limit that a
 * margin lies in (core/tune), never for a claim that one run is slower than another.
 * @param stepMs all step times so far, warm-up included
 * @param limitMs what a step must not stay above
 */
export function isSurelyAbove(stepMs: ArrayLike<number>, limitMs: number): boolean {
  const statistics = summarizeSteps(stepMs);
  if (statistics === null || statistics.samples < minAbandonSamples) return false;
  const { interval, warmUpSteps } = statistics;
  if (interval === null || interval.confidence < nominalConfidence || interval.lowMs <= limitMs) return false;
  const steady = Float64Array.from(stepMs).subarray(warmUpSteps);
  return median(steady.subarray(Math.floor(steady.length / 2))) > limitMs;
}
