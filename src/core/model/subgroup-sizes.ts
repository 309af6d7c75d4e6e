import type { ModelShape } from '../experiment/case.ts';

/**
 * Cuts one rank's partition as ZeRO-3 does: parameters in their order, a new subgroup as soon as the last has
 * `subGroupSize` elements; matrices and vectors (no weight decay) apart (runtime/zero/stage3.py,
 * _create_fp16_sub_groups, 0.19.8). So a subgroup is larger than asked for by up to one matrix, the last one smaller.
 * @returns elements of each subgroup of the rank, in DeepSpeed's order
 */
export function subgroupSizes(
  { layers, hidden, paddedVocabulary }: ModelShape,
  work: { readonly sequenceLength: number; readonly chips: number; readonly subGroupSize: number },
): number[] {
  const share = (elements: number): number => Math.ceil(elements / work.chips);
  const square = hidden ** 2;
  const layer = [3 * square, square, 4 * square, 4 * square].map(share);
  const embeddings = [paddedVocabulary * hidden, work.sequenceLength * hidden].map(share);
  const sizes: number[] = [];
  let size = 0;
  const add = (elements: number): void => {
    size += elements;
    if (size < work.subGroupSize) return;
    sizes.push(size);
    size = 0;
  };
  for (const elements of embeddings) add(elements);
  for (let index = 0; index < layers; index += 1) for (const elements of layer) add(elements);
  if (size > 0) sizes.push(size);
  // Nine biases and four layer norms' vectors a layer, two of the last layer norm.
  return [...sizes, share((13 * layers + 2) * hidden)];
}
