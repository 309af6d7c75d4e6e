import type { AttentionName, Dtype, ModelShape } from '../experiment/case.ts';

/** Building blocks of the first-order memory formulas; a mode (core/deepspeed/modes) puts them together. */

/** One thing that needs memory, as bytes a chip. */
export interface PartBytes {
  readonly what: string;
  readonly where: 'gpu' | 'host';
  readonly bytes: number;
  readonly source: string;
}

/** What a mode's formula may use. Sizes are bytes or elements a rank. */
export interface MemoryInput {
  /** Parameters of the whole model. */
  readonly parameters: number;
  /** Parameters of one rank's partition. */
  readonly shard: number;
  /** Bytes of a weight as the forward pass sees it: 2 in bf16 and fp16, 4 in fp32. */
  readonly weightBytes: number;
  /** Parameters of the largest layer. */
  readonly largestLayer: number;
  /** Share of the optimizer on the CPU, 0 to 1. */
  readonly ratio: number;
  /** Elements of an optimizer subgroup (ZeRO-3). */
  readonly subGroupSize: number;
  /** Elements of a gradient bucket. */
  readonly reduceBucketSize: number;
  /** Activations of one forward pass, at their largest. */
  readonly activationBytes: number;
  /** Whether gradients live on while the next forward pass runs. */
  readonly accumulates: boolean;
  /** What the host allocator takes for this many pinned bytes. */
  readonly pinned: (bytes: number) => number;
}

const formulaSource = 'first-order formula: Rajbhandari et al. 2020 (ZeRO), section 3';
export const roundingSource =
  'measured on torch 2.11: the pinned host allocator rounds up to a power of two (bench/README.md)';
const activationSource =
  'Korthikanti et al. 2022 (arXiv 2205.05198), equation 1, without dropout masks and the s^2 term of a fused attention; a logit counts 12 bytes';

/** PyTorch's host allocator rounds a pinned block up to a power of two. */
export function powerOfTwo(bytes: number): number {
  return bytes <= 0 ? 0 : 2 ** Math.ceil(Math.log2(bytes));
}

/** What decides the activations of one rank. */
export interface ActivationWork {
  readonly model: ModelShape;
  readonly microBatch: number;
  readonly sequenceLength: number;
  readonly sequenceParallel: number;
  readonly activationCheckpointing: boolean;
  readonly activationOffload: boolean;
  readonly attention: AttentionName;
  readonly dtype: Dtype;
}

/**
 * Bytes of activations of one rank at the end of its forward pass, on the chip.
 * A layer keeps 32 s b h bytes in 16 bit (Korthikanti et al. 2022, equation 1: 34, less the two dropout masks), and
 * with unfused attention 5 a s^2 b more. Recomputation keeps each layer's 16-bit input, and one layer at a time. The
 * logits cost 12 bytes each: 16-bit, their fp32 copy, its log-softmax and the 16-bit gradient. Ranks that share a
 * sequence have their share of its tokens and, within attention, of the heads (Jacobs et al. 2023, DeepSpeed-Ulysses).
 * Agrees within 3% with what was measured for 2B and 5B at sequence 1024, micro-batch 8 on an H200.
 */
export function activationBytes(work: ActivationWork): number {
  const { layers, hidden, heads, paddedVocabulary } = work.model;
  const tokens = tokensOfRank(work);
  const width = work.dtype === 'fp32' ? 2 : 1;
  const scores =
    work.attention === 'unfused'
      ? (5 * width * heads * work.microBatch * work.sequenceLength ** 2) / work.sequenceParallel
      : 0;
  const layer = 32 * tokens * hidden * width + scores;
  const checkpoints = work.activationOffload ? 0 : checkpointBytes(work);
  const kept = work.activationCheckpointing ? checkpoints + layer : layers * layer;
  return kept + 12 * tokens * paddedVocabulary;
}

/** Bytes of the layers' inputs that recomputation starts from: on the chip, or in host memory when offloaded. */
export function checkpointBytes(work: ActivationWork): number {
  const { layers, hidden } = work.model;
  return layers * 2 * tokensOfRank(work) * hidden * (work.dtype === 'fp32' ? 2 : 1);
}

function tokensOfRank({ microBatch, sequenceLength, sequenceParallel }: ActivationWork): number {
  return (microBatch * sequenceLength) / sequenceParallel;
}

/** fp32 master weights and two moments of Adam. */
export const optimizerBytes = 12;

/**
 * What the optimizer step and the backward pass ask for at different times: activations are gone when the
 * fp32 copy of the gradients is made, so the larger of the two counts.
 */
export function gradientsOrActivations(input: MemoryInput, gradientElements: number): PartBytes {
  const gradients = gradientElements * input.weightBytes;
  const step = gradients + (input.weightBytes === 4 ? 0 : gradientElements * 4);
  const backward = input.activationBytes + (input.accumulates ? gradients : 0);
  return {
    what: 'activations, or gradients and their fp32 copy in the step: the larger',
    where: 'gpu',
    bytes: Math.max(step, backward),
    source: `${formulaSource}; ${activationSource}`,
  };
}

export function gpuPart(what: string, bytes: number, source: string = formulaSource): PartBytes {
  return { what, where: 'gpu', bytes, source };
}

export function hostPart(what: string, bytes: number, source: string = formulaSource): PartBytes {
  return { what, where: 'host', bytes, source };
}

export function activationPart(input: MemoryInput): PartBytes {
  return gpuPart('activations', input.activationBytes, activationSource);
}

export function bucketPart(input: MemoryInput): PartBytes {
  const elements = Math.min(input.reduceBucketSize, input.parameters);
  return gpuPart('gradient bucket', elements * input.weightBytes, 'zero_optimization.reduce_bucket_size');
}

/** Layers that ZeRO-3 has gathered at one time: the one in use and the one fetched ahead. */
export function gatheredLayersPart(input: MemoryInput): PartBytes {
  return gpuPart('gathered layers', 2 * input.largestLayer * input.weightBytes);
}
