import { fullConfidence } from '../../core/results/summarize.ts';
import type { StepStatistics } from '../../core/stats/steps.ts';
import { formatNumber } from './format.ts';

type Interval = StepStatistics['interval'];

/** `1.2 to 1.3` in seconds; `~` behind a range that is no 95% interval. */
export function intervalCell(interval: Interval): string {
  if (interval === null) return '-';
  const { lowMs, highMs } = interval;
  return `${formatNumber(lowMs / 1000)} to ${formatNumber(highMs / 1000)}${isUnsure(interval) ? '~' : ''}`;
}

/** What the table says below of its intervals. */
export function intervalNotes(intervals: readonly Interval[]): string[] {
  const bases = new Set(intervals.flatMap((interval) => interval?.basis ?? []));
  return [
    ...(bases.size === 0 ? [] : [`interval: ${[...bases].join(' and ')}`]),
    ...(intervals.some(isUnsure)
      ? [
          '~ less than 95% sure: too few steps, or steps that follow one another too closely; use more --steps',
        ]
      : []),
  ];
}

function isUnsure(interval: Interval): boolean {
  return interval !== null && interval.confidence < fullConfidence;
}
