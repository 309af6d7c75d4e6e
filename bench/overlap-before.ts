import type { ModelShape } from '../src/core/experiment/case.ts';

/**
 * Host memory of the overlap optimizer as it was when 5B and 7B were measured: what is larger than a subgroup (33.5e6
 * elements), as half of their layers' matrices are, was stepped in place, and all else, however small, went through spare
 * blocks. The rest of the prediction is today's.
 */

const limit = 2 ** 25;
const speculation = 0.5;

export interface RunBefore {
  readonly model: ModelShape;
  readonly sequenceLength: number;
  readonly ratio: number;
  readonly steps: number;
}

/** Bytes of state as far as they were written, spare blocks included: block by block, step by step. */
export function stateBytesBefore(run: RunBefore): number {
  const counts = cutBefore(run);
  const bound = (1 - run.ratio) * counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  const onCpu = counts.flatMap((count, index) => ((before += count) > bound ? [{ index, count }] : []));
  const rotating = onCpu.filter(({ count }) => count <= limit);
  const turning = rotating.reduce((sum, { count }) => sum + count, 0);
  const spare = Array.from({ length: Math.trunc((speculation * turning) / limit) }, (_, at) => `spare ${at}`);
  const held = new Map(onCpu.map(({ index }) => [index, `own ${index}`]));
  const written = new Map(onCpu.map(({ index, count }) => [`own ${index}`, count]));
  // The vectors' gradients are complete when the first layer's are; the embeddings' come after them.
  const last = counts.length - 1;
  const order = rotating.toReversed().sort((a, b) => place(a.index, last) - place(b.index, last));
  for (let step = 0; step < run.steps; step += 1) {
    const old: string[] = [];
    for (const { index, count } of order) {
      const block = spare.pop();
      if (block === undefined) break;
      old.push(held.get(index) ?? '');
      held.set(index, block);
      written.set(block, Math.max(count, written.get(block) ?? 0));
    }
    spare.push(...old);
  }
  return 12 * [...written.values()].reduce((sum, count) => sum + count, 0);
}

function place(index: number, last: number): number {
  return index === last ? 1 : index > 1 ? 0 : 2;
}

function cutBefore({ model: { layers, hidden, paddedVocabulary }, sequenceLength }: RunBefore): number[] {
  const layer = [3, 1, 4, 4].map((squares) => squares * hidden ** 2);
  const all = [
    paddedVocabulary * hidden,
    sequenceLength * hidden,
    ...Array<number[]>(layers).fill(layer).flat(),
  ];
  const counts: number[] = [];
  let size = 0;
  for (const elements of all) {
    if (size > 0 && size + elements > limit) {
      counts.push(size);
      size = 0;
    }
    size += elements;
  }
  return [...counts, size, (13 * layers + 2) * hidden];
}
