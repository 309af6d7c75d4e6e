import type { Measured } from '../measured.ts';

/**
 * Launches of one configuration differ by 1.8% without offload and by 5 to 8% with it (standard deviations, bench/README.md): of what
 * is given up above this some would have been better in another launch, by less than that.
 */
const leastMargin = 0.05;
/** Of the best's own interval. */
const widths = 1.5;

/**
 * Above what a running trial may be given up, milliseconds a step: the best so far, and a margin for its noise and for
 * that of launches. null: nothing is there to be held against.
 */
export function abandonAboveMs(best: Measured | null): number | null {
  if (best === null) return null;
  const { medianStepMs, lowStepMs, highStepMs } = best.result;
  const width = lowStepMs === null || highStepMs === null ? 0 : highStepMs - lowStepMs;
  return Math.max(medianStepMs * (1 + leastMargin), medianStepMs + widths * width);
}
