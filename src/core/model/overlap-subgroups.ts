import type { ModelShape } from '../experiment/case.ts';

/** How the overlap optimizer cuts one rank's partition, and what of it steps where. Sizes are elements. */
export interface OverlapSubgroups {
  /** In the order of the parameters: those of the embeddings first, the vectors last. */
  readonly sizes: readonly number[];
  /** The largest that may rotate through spare blocks. */
  readonly turning: number;
}

/**
 * Parameters in their order, a new subgroup where the next would make it larger than `subgroupElements` or, where that
 * is more, than the largest parameter that there is more than one of (patches/deepspeed, overlap/optimizer.py,
 * _create_fp16_sub_groups). Matrices and vectors (no weight decay) apart.
 */
export function overlapSubgroups(
  { layers, hidden, paddedVocabulary }: ModelShape,
  work: { readonly sequenceLength: number; readonly chips: number; readonly subgroupElements: number },
): OverlapSubgroups {
  const share = (elements: number): number => Math.ceil(elements / work.chips);
  const square = hidden ** 2;
  const turning = Math.max(work.subgroupElements, share(4 * square));
  const layer = [3 * square, square, 4 * square, 4 * square].map(share);
  const embeddings = [paddedVocabulary * hidden, work.sequenceLength * hidden].map(share);
  const [one, three, four] = [share(hidden), share(3 * hidden), share(4 * hidden)];
  const vectorLimit = Math.max(work.subgroupElements, four);
  return {
    sizes: [
      ...runs(embeddings, layer, layers, turning),
      // Of a layer: two layer norms and four biases; of the last layer norm two vectors.
      ...runs([], [one, one, three, one, one, one, four, one], layers, vectorLimit, [one, one]),
    ],
    turning,
  };
}

/** Elements of runs of at most `limit`, or of one parameter: `first`, then `layer` so often, then `last`. */
function runs(
  first: readonly number[],
  layer: readonly number[],
  layers: number,
  limit: number,
  last: readonly number[] = [],
): number[] {
  const sizes: number[] = [];
  let size = 0;
  const add = (elements: number): void => {
    if (size > 0 && size + elements > limit) {
      sizes.push(size);
      size = 0;
    }
    size += elements;
  };
  first.forEach(add);
  for (let index = 0; index < layers; index += 1) layer.forEach(add);
  last.forEach(add);
  return [...sizes, size];
}

/**
 * How many of the first subgroups stay on the GPU: as many as have no more than `1 - ratio` of all elements (overlap/
 * optimizer.py, _setup_for_real_optimizer). The first are the last whose gradients come.
 */
export function keptOnGpu(sizes: readonly number[], ratio: number): number {
  // The same products of doubles as in Python, so that a ratio at a boundary falls on the same side.
  const bound = (1 - ratio) * sum(sizes);
  let kept = 0;
  for (const [index, size] of sizes.entries()) {
    kept += size;
    if (kept > bound) return index;
  }
  return sizes.length;
}

/** A subgroup smaller than this part of the largest has a block of its own size (overlap/subgroups.py, ROTATES). */
const smallestTurning = 1 / 4;

/** Both shares of the optimizer, and the blocks of host memory. Elements. */
export interface OverlapShares {
  readonly onGpu: readonly number[];
  readonly onCpu: readonly number[];
  readonly gpuElements: number;
  readonly cpuElements: number;
  /**
   * Of the blocks that the CPU's subgroups lie in, as far as they are ever written: in time the largest of those that
   * rotate has been in each of theirs. Room that is never written takes no memory.
   */
  readonly roomElements: number;
  /** Of the spare blocks: so much may be stepped before the step is known to be good. */
  readonly spareElements: number;
}

/** @param speculation share of the optimizer's host memory that may be doubled */
export function overlapShares(
  { sizes, turning }: OverlapSubgroups,
  { ratio, speculation }: { readonly ratio: number; readonly speculation: number },
): OverlapShares {
  const kept = keptOnGpu(sizes, ratio);
  const [onGpu, onCpu] = [sizes.slice(0, kept), sizes.slice(kept)];
  const largest = Math.min(turning, Math.max(0, ...onCpu));
  const rotating = onCpu.filter((size) => size >= smallestTurning * largest && size <= largest);
  const spare = largest === 0 ? 0 : Math.trunc((speculation * sum(rotating)) / largest);
  const cpuElements = sum(onCpu);
  const written = Math.max(0, ...rotating);
  const room = spare === 0 ? sum(rotating) : rotating.length * written;
  return {
    ...{ onGpu, onCpu, gpuElements: sum(onGpu), cpuElements },
    roomElements: room + cpuElements - sum(rotating),
    spareElements: spare * written,
  };
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
