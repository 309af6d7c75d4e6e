import type { ModelShape } from '../experiment/case.ts';
import { shapeName } from '../experiment/model-names.ts';
import { parameterCount } from '../model/shape.ts';

/**
 * Shapes between the largest that ran and the smallest that failed: of the width that ran, with more layers, below
 * the one that failed. Between two sizes of the same width these are all numbers of layers between theirs.
 * @param step layers from one to the next
 */
export function shapesBetween(
  ran: ModelShape,
  failed: ModelShape,
  { step, sequenceLength }: { readonly step: number; readonly sequenceLength: number },
): ModelShape[] {
  const limit = parameterCount(failed, sequenceLength);
  const shapes: ModelShape[] = [];
  for (let layers = ran.layers + step; ; layers += step) {
    const shape = { ...ran, layers };
    if (parameterCount(shape, sequenceLength) >= limit) return shapes;
    shapes.push({ ...shape, name: shapeName(shape) });
  }
}

/**
 * Where nothing ran: shapes of the smallest size with fewer layers.
 */
export function shapesBelow(failed: ModelShape, step: number): ModelShape[] {
  const shapes: ModelShape[] = [];
  for (let layers = failed.layers - step; layers >= 1; layers -= step) {
    const shape = { ...failed, layers };
    shapes.unshift({ ...shape, name: shapeName(shape) });
  }
  return shapes;
}

/** Sequence lengths: doubling from the shortest to the longest. */
export function doubledLengths(shortest: number, longest: number): number[] {
  const lengths: number[] = [];
  for (let length = shortest; length <= longest; length *= 2) lengths.push(length);
  return lengths;
}

/** Lengths between one that ran and one that failed, `step` tokens apart. */
export function lengthsBetween(ran: number, failed: number, step: number): number[] {
  const first = (Math.floor(ran / step) + 1) * step;
  const count = Math.max(0, Math.ceil((failed - first) / step));
  return Array.from({ length: count }, (_, index) => first + index * step);
}

/** `128K`, `1M`, or the number itself where it is none of these: K and M are binary, as in the paper's figure 12. */
export function lengthText(tokens: number): string {
  if (tokens >= 2 ** 20 && tokens % 2 ** 20 === 0) return `${tokens / 2 ** 20}M`;
  return tokens >= 2 ** 10 && tokens % 2 ** 10 === 0 ? `${tokens / 2 ** 10}K` : String(tokens);
}
