import type { Interval } from './timeline-file.ts';

/** Pure arithmetic of intervals; all times in milliseconds. */

/** Sorted, and joined where they touch or overlap. */
export function union(intervals: readonly Interval[]): Interval[] {
  const joined: { beginMs: number; endMs: number }[] = [];
  for (const { beginMs, endMs } of [...intervals].sort((a, b) => a.beginMs - b.beginMs)) {
    const last = joined.at(-1);
    if (last !== undefined && beginMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else joined.push({ beginMs, endMs });
  }
  return joined;
}

/** How long at least one of them lasts. */
export function busyMs(intervals: readonly Interval[]): number {
  return union(intervals).reduce((sum, { beginMs, endMs }) => sum + endMs - beginMs, 0);
}

/** What is left of a step of `stepMs` where none of them is. */
export function gaps(intervals: readonly Interval[], stepMs: number): Interval[] {
  const free: Interval[] = [];
  let fromMs = 0;
  for (const { beginMs, endMs } of union(intervals)) {
    if (beginMs > fromMs) free.push({ beginMs: fromMs, endMs: Math.min(beginMs, stepMs) });
    fromMs = Math.max(fromMs, endMs);
  }
  return fromMs < stepMs ? [...free, { beginMs: fromMs, endMs: stepMs }] : free;
}
