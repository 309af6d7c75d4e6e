import { activationSource, type Activations } from './activations.ts';
import type { SoftwareMemory } from './software.ts';

/** Building blocks of the first-order memory formulas; a mode (core/deepspeed/modes) puts them together. */

/** One thing that needs memory, as bytes a chip. */
export interface PartBytes {
  readonly what: string;
  readonly where: 'gpu' | 'host';
  readonly bytes: number;
  readonly source: string;
}

/** What the overlap optimizer's formula needs beside the rest. */
export interface OverlapInput {
  /** Elements of each subgroup, in the order of the parameters. */
  readonly sizes: readonly number[];
  /** The largest that may rotate through spare blocks. */
  readonly turning: number;
  /** Share of the optimizer's host memory that may be doubled. */
  readonly speculation: number;
  /** Whether a step may be done again at another scale, so that its gradients must be kept. */
  readonly clips: boolean;
  /** Bytes of an accumulated gradient (data_types.grad_accum_dtype). */
  readonly accumulationBytes: number;
}

/** What a mode's formula may use. Sizes are bytes or elements a rank. */
export interface MemoryInput {
  /** World size. */
  readonly chips: number;
  /** Parameters of the whole model. */
  readonly parameters: number;
  /** Parameters of one rank's partition. */
  readonly shard: number;
  /** Bytes of a weight as the forward pass sees it: 2 in bf16 and fp16, 4 in fp32. */
  readonly weightBytes: number;
  /**
   * Bytes of a gradient in its bucket: a weight's, but 4 where ranks share sequences
   * (seq_parallel_communication_data_type, runtime/engine.py and runtime/constants.py).
   */
  readonly bucketElementBytes: number;
  /** Parameters of the largest matrix: an embedding or half a feed-forward layer. */
  readonly largestMatrix: number;
  /** Share of the optimizer on the CPU, 0 to 1. */
  readonly ratio: number;
  /** Elements of each subgroup that ZeRO-3 cuts the rank's partition into. */
  readonly subgroups: readonly number[];
  /** Elements of a gradient bucket. */
  readonly reduceBucketSize: number;
  /** Elements that ZeRO-3 keeps gathered at most (stage3_max_live_parameters). */
  readonly maxLiveParameters: number;
  readonly activations: Activations;
  /** Whether gradients live on while the next forward pass runs. */
  readonly accumulates: boolean;
  /** The overlap optimizer's cutting of the rank's partition and what it does with it. */
  readonly overlap: OverlapInput;
  readonly software: SoftwareMemory;
  /** What the host allocator takes for this many bytes that DeepSpeed pins. */
  readonly pinned: (bytes: number) => number;
  readonly pinnedSource: string;
  /** ZeRO-2's gradients cross and wait in 16 bits, and Adam casts (superoffload.casts `fused`). */
  readonly fusesCasts: boolean;
}

export const formulaSource = 'first-order formula: Rajbhandari et al. 2020 (ZeRO), section 3';
export const roundingSource =
  'measured on torch 2.11: the pinned host allocator rounds up to a power of two (bench/README.md)';

export const registeredSource =
  'patches/deepspeed, host_offload/registered.py: blocks as large as they were asked for';

/** PyTorch's host allocator rounds a pinned block up to a power of two. */
export function powerOfTwo(bytes: number): number {
  return bytes <= 0 ? 0 : 2 ** Math.ceil(Math.log2(bytes));
}

const flatGradientSource =
  'runtime/zero/stage3.py, _setup_for_real_optimizer: grad_partitions_flat_buffer; measured: 5B and 1B at sequence 32K on an H200';

/** fp32 master weights and two moments of Adam. */
export const optimizerBytes = 12;

/**
 * The backward pass and an optimizer step on the GPU ask for memory at different times: activations are gone when the
 * gradients are flattened and copied to fp32, so the larger of the two counts.
 * @param elements gradients that the rank steps on, all at one time
 */
export function gradientsOrActivations(input: MemoryInput, elements: number): PartBytes {
  const gradients = elements * input.weightBytes;
  const step = gradients + elements * stepBytes(input);
  const backward = peakActivations(input) + (input.accumulates ? gradients : 0);
  return gpuPart(
    'activations, or gradients, flat and in fp32, in the step: the larger',
    Math.max(step, backward, gradients),
    `${formulaSource}; ${activationSource}`,
  );
}

/**
 * The same in stage 3, whose gradients have their flat buffer from the start, beside activations, and are stepped on a
 * subgroup at a time.
 */
export function shardedGradientParts(input: MemoryInput): PartBytes[] {
  const stepped = input.software.unfusedGpuAdam ? input.shard : Math.max(...input.subgroups);
  return [
    gpuPart('gradients, flat', input.shard * input.weightBytes, flatGradientSource),
    gpuPart(
      'activations, or gradients that are stepped on, flat and in fp32: the larger',
      Math.max(stepped * stepBytes(input), peakActivations(input)),
      `${formulaSource}; ${activationSource}`,
    ),
  ];
}

/** Bytes a parameter that a step on the GPU needs beside state and gradients: these flat, in fp32, and a temporary. */
export function stepBytes({ weightBytes, software }: MemoryInput): number {
  return (weightBytes === 4 ? 4 : 2 + 4) + (software.unfusedGpuAdam ? 4 : 0);
}

export function gpuPart(what: string, bytes: number, source: string = formulaSource): PartBytes {
  return { what, where: 'gpu', bytes, source };
}

export function hostPart(what: string, bytes: number, source: string = formulaSource): PartBytes {
  return { what, where: 'host', bytes, source };
}

/** Activations at their largest, beside a gradient bucket that is always there. */
export function activationPart(input: MemoryInput): PartBytes {
  return gpuPart('activations', peakActivations(input), activationSource);
}

export function peakActivations({ activations }: MemoryInput): number {
  const { kept, logits, layer, gradients } = activations;
  return kept + Math.max(logits, layer + gradients);
}

/** ZeRO-3 has its bucket from the start (runtime/zero/stage3.py, _setup_for_real_optimizer). */
export function bucketPart(input: MemoryInput): PartBytes {
  return gpuPart('gradient bucket', bucketBytes(input), 'zero_optimization.reduce_bucket_size');
}

export function bucketBytes(input: MemoryInput): number {
  return input.reduceBucketSize * input.bucketElementBytes;
}

const gatheredSource =
  'stage3_max_live_parameters; measured on two H200: 1B whole, beside its partition (bench/README.md)';

/**
 * Weights that ZeRO-3 has gathered at one time, and the gradient of the largest matrix. A rank that is alone uses its
 * partition in place (runtime/zero/partition_parameters.py, NoGatherHandle).
 * @param offloaded the partition lies on the host: what is gathered is a copy even then
 */
export function gatheredLayersPart(input: MemoryInput, offloaded = false): PartBytes {
  const live = input.chips === 1 && !offloaded ? 0 : Math.min(input.parameters, input.maxLiveParameters);
  return gpuPart(
    'gathered weights and one gradient',
    (live + input.largestMatrix) * input.weightBytes,
    gatheredSource,
  );
}
