import { median, sortedQuantile } from './median.ts';
import { medianInterval } from './median-interval.ts';
import { effectiveSamples } from './autocorrelation.ts';
import { countWarmUpSteps } from './warm-up.ts';

/** What the step times of one run say. All times in milliseconds. */
export interface StepStatistics {
  /** Steps after warm-up. */
  readonly samples: number;
  readonly warmUpSteps: number;
  /** Independent samples that these are worth; see autocorrelation.ts. */
  readonly effectiveSamples: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** 5th and 95th percentile: how even the steps are, not how sure the median is. */
  readonly p5Ms: number;
  readonly p95Ms: number;
  readonly interval: {
    readonly lowMs: number;
    readonly highMs: number;
    /** 0.95, or less where the samples do not allow it. */
    readonly confidence: number;
    readonly basis: 'within one run' | 'between launches';
  } | null;
}

/**
 * @param stepMs all step times of one run in order, warm-up included
 * @returns null where there is none
 */
export function summarizeSteps(stepMs: ArrayLike<number>): StepStatistics | null {
  if (stepMs.length === 0) return null;
  const warmUpSteps = countWarmUpSteps(stepMs);
  const steady = Float64Array.from(stepMs).subarray(warmUpSteps);
  const sorted = Float64Array.from(steady).sort();
  const interval = medianInterval(steady);
  return {
    samples: steady.length,
    warmUpSteps,
    effectiveSamples: effectiveSamples(steady),
    medianMs: median(steady),
    minMs: sortedQuantile(sorted, 0),
    maxMs: sortedQuantile(sorted, 1),
    p5Ms: sortedQuantile(sorted, 0.05),
    p95Ms: sortedQuantile(sorted, 0.95),
    interval:
      interval === null
        ? null
        : {
            lowMs: interval.low,
            highMs: interval.high,
            confidence: interval.confidence,
            basis: 'within one run',
          },
  };
}
