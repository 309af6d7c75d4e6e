import { nominalConfidence } from './median-interval.ts';
import { summarizeSteps } from './steps.ts';

/**
 * Fewer steps after warm-up are never called stable, however alike they look: with 10 the autocorrelation is known
 * so badly that intervals which claim 95% cover 80% where steps are strongly correlated, with 20 it is 93%
 * (test/core/stats/median-interval.test.ts simulates this).
 */
export const minStableSamples = 20;

/**
 * Whether a run may stop: the 95% interval of its median lies within the asked error on both sides, and there are
 * at least {@link minStableSamples} steps after warm-up. The rule asks for precision and never for a difference
 * ("stop when significant" finds differences that are not there); a fixed-width rule like this one keeps its
 * coverage up to a small loss (Chow and Robbins 1965).
 * @param stepMs all step times so far, warm-up included
 * @param maxErrorFraction for example 0.02 for 2%
 */
export function isStable(stepMs: ArrayLike<number>, maxErrorFraction: number): boolean {
  const statistics = summarizeSteps(stepMs);
  if (statistics === null || statistics.samples < minStableSamples) return false;
  const { interval, medianMs } = statistics;
  if (interval === null || interval.confidence < nominalConfidence) return false;
  const error = Math.max(interval.highMs - medianMs, medianMs - interval.lowMs);
  return error <= maxErrorFraction * medianMs;
}
