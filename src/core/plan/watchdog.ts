import type { RunLimits } from './run-plan.ts';

/** What is known of a run's pace. All times in milliseconds of one clock. */
export interface Pace {
  readonly nowMs: number;
  readonly startedMs: number;
  /** When the last step completed; null before the first. */
  readonly lastStepMs: number | null;
  readonly medianStepMs: number | null;
}

/**
 * Whether a run must be stopped. Progress is a completed step, never output: a hung collective may well print.
 * @returns the reason, or null to go on.
 */
export function watchdogVerdict(pace: Pace, limits: RunLimits): 'timeout' | 'hang' | null {
  if (limits.timeoutMs !== null && pace.nowMs - pace.startedMs > limits.timeoutMs) return 'timeout';
  if (pace.lastStepMs === null) {
    const { firstStepMs } = limits;
    return firstStepMs !== null && pace.nowMs - pace.startedMs > firstStepMs ? 'hang' : null;
  }
  if (limits.minStallMs === null) return null;
  const patienceMs = Math.max(limits.minStallMs, limits.stallFactor * (pace.medianStepMs ?? 0));
  return pace.nowMs - pace.lastStepMs > patienceMs ? 'hang' : null;
}
