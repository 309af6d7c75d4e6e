import { meanInterval } from './student-t.ts';

export interface LaunchInterval {
  /** Geometric mean of the launches' medians, ms. */
  readonly centerMs: number;
  readonly lowMs: number;
  readonly highMs: number;
}

/**
 * Interval between launches: each launch counts once, by its median, because what differs from launch to launch
 * (placement, clocks, neighbours) is the same for all steps of one (Kalibera and Jones 2013, "Rigorous benchmarking
 * in reasonable time"). Student's t on the logarithms: times are positive and their errors are factors.
 * @returns null of fewer than two launches
 */
export function launchInterval(launchMedianMs: readonly number[]): LaunchInterval | null {
  if (launchMedianMs.length < 2 || launchMedianMs.some((ms) => !(ms > 0))) return null;
  const { mean, halfWidth } = meanInterval(launchMedianMs.map(Math.log));
  return {
    centerMs: Math.exp(mean),
    lowMs: Math.exp(mean - halfWidth),
    highMs: Math.exp(mean + halfWidth),
  };
}
