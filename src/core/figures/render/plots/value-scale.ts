import type { Stack } from './stacks.ts';
import { stackLength } from './stacks.ts';

/** The axis of values: from zero, as high as the highest bar with what is written above it. */
export interface ValueScale {
  /** At the plot's upper edge. */
  readonly max: number;
  readonly ticks: readonly number[];
}

/** The diamond and the cap of an interval reach this far over their value, pixels. */
const markRoom = 6;

/**
 * The lowest upper end that leaves room for all of it: a stack of `length` pixels over a bar of value v needs
 * v / max * height + length <= height.
 * @param tops the highest values of the marks
 * @param height of the plot, pixels
 */
export function upperEnd(tops: readonly number[], stacks: readonly Stack[], height: number): number {
  const needs = [
    ...tops.map((top) => (top * height) / (height - markRoom)),
    ...stacks.map((stack) => {
      const room = Math.max(height - stackLength(stack) - stack.gap - 2, height / 8);
      return (stack.base * height) / room;
    }),
  ];
  return Math.max(0, ...needs);
}

/** Three to seven ticks in steps of 1, 2 or 5. A plot without a value has none. */
export function valueScale(end: number): ValueScale {
  if (end <= 0 || !Number.isFinite(end)) return { max: 1, ticks: [] };
  const rough = end / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const ticks = Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) =>
    Number((i * step).toPrecision(12)),
  );
  return { max: end, ticks };
}

/** Panels whose values are of one size share a scale, so that they can be compared; a much lower one has its own. */
export function sharedEnds(ends: readonly number[]): number[] {
  const highest = Math.max(0, ...ends);
  return ends.map((end) => (end >= 0.4 * highest ? highest : end));
}
