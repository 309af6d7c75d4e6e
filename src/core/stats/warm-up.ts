import { median, robustDeviation } from './median.ts';

/** Fewer samples say nothing about a steady state; then only the first step goes. */
const minForRule = 6;

/**
 * How many steps at the start are warm-up, in one sentence: all steps up to the last one in the first half of the
 * run that is slower than the second half's median by more than 5% and more than five robust standard deviations,
 * and always the first one, which compiles kernels, allocates, and starts the optimizer's process.
 *
 * Truncation against the part that is surely steady follows MSER (White 1997, "An effective truncation heuristic
 * for bias reduction in simulation output"), but MSER-5 averages in fives and needs tens of them; runs here have
 * 5 to 100 steps, so the yardstick is the median and the median absolute deviation (Leys et al. 2013) of the
 * second half. A single slow step late in the first half must not take everything before it along: the search
 * ends at the first three steady steps in a row.
 * @param stepMs step times in the order of the run
 */
export function countWarmUpSteps(stepMs: ArrayLike<number>): number {
  const count = stepMs.length;
  if (count < 2) return 0;
  if (count < minForRule) return 1;
  const steps = Float64Array.from(stepMs);
  const half = Math.floor(count / 2);
  const steady = steps.subarray(half);
  const center = median(steady);
  const limit = center + Math.max(0.05 * center, 5 * robustDeviation(steady));
  let warmUp = 1;
  let steadyInARow = 0;
  for (let step = 1; step < half && steadyInARow < 3; step += 1) {
    const slow = (steps[step] ?? 0) > limit;
    steadyInARow = slow ? 0 : steadyInARow + 1;
    if (slow) warmUp = step + 1;
  }
  return warmUp;
}
