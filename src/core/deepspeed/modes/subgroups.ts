import {
  gpuPart,
  hostPart,
  roundingSource,
  type MemoryInput,
  type PartBytes,
} from '../../model/memory-parts.ts';

/** How ZeRO-3 cuts one rank's optimizer into subgroups and which of them step on the CPU. */
export interface Subgroups {
  readonly count: number;
  readonly onGpu: number;
  /** Share of the rank's parameters whose optimizer is on the CPU, 0 to 1. */
  readonly cpuShare: number;
  /** Elements of the largest subgroup. */
  readonly size: number;
}

/**
 * DeepSpeed keeps the subgroups with index < int((1 - ratio) * count) on the GPU, so that few subgroups and a
 * ratio near 1 keep none (runtime/zero/stage3.py, 0.19.8).
 */
export function subgroupsOf({
  shard,
  subGroupSize,
  ratio,
}: Pick<MemoryInput, 'shard' | 'subGroupSize' | 'ratio'>): Subgroups {
  const size = Math.min(shard, subGroupSize);
  const count = Math.max(1, Math.ceil(shard / subGroupSize));
  // 1 - 0.9 is 0.0999...98 in both languages: Python's int() drops the fraction exactly like this.
  const onGpu = Math.trunc((1 - ratio) * count);
  return { count, onGpu, cpuShare: (count - onGpu) / count, size };
}

/**
 * Host memory of ZeRO-3's CPU optimizer: fp32 weights are pageable, a subgroup's fp32 gradients are pinned one by
 * one, all 16-bit gradients lie in one pinned buffer (runtime/zero/stage3.py, 0.19.8).
 */
export function cpuOptimizerParts(
  input: MemoryInput,
  { count, onGpu, cpuShare, size }: Subgroups,
): PartBytes[] {
  const onCpu = cpuShare * input.shard;
  const gradientBlocks = (count - onGpu) * input.pinned(4 * size);
  return [
    hostPart('fp32 weights', 4 * onCpu),
    hostPart('moments', 8 * onCpu),
    hostPart('fp32 gradients, pinned a subgroup', gradientBlocks, roundingSource),
    hostPart('16-bit gradients, pinned', input.pinned(input.weightBytes * input.shard), roundingSource),
  ];
}

/** SuperOffload's optimizer, both shares of it. */
export function superOffloadParts(input: MemoryInput): PartBytes[] {
  const subgroups = subgroupsOf(input);
  const stateOnGpu = 16 * (1 - subgroups.cpuShare) * input.shard;
  return [
    gpuPart('optimizer state and fp32 gradients that stay on the GPU', stateOnGpu),
    // The worker shares weights and moments; the pinned gradient blocks stay in the host cache when the
    // gradients move to shared memory, which is the second copy of them.
    ...cpuOptimizerParts(input, subgroups),
    hostPart('fp32 gradients in shared memory', 4 * subgroups.cpuShare * input.shard),
    hostPart("the worker's gradient buffer", input.pinned(4 * subgroups.size), roundingSource),
  ];
}
