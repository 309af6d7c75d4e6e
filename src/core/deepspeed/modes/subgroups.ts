import { gpuPart, hostPart, type MemoryInput, type PartBytes } from '../../model/memory-parts.ts';

/** Which subgroups of one rank's optimizer step where. Sizes are elements. */
export interface Subgroups {
  readonly onCpu: readonly number[];
  readonly onGpu: readonly number[];
  readonly cpuElements: number;
  readonly gpuElements: number;
  readonly largest: number;
}

/**
 * DeepSpeed keeps the subgroups with index < int((1 - ratio) * count) on the GPU, so that few subgroups and a
 * ratio near 1 keep none (runtime/zero/stage3.py, 0.19.8).
 */
export function splitSubgroups(sizes: readonly number[], ratio: number): Subgroups {
  // 1 - 0.9 is 0.0999...98 in both languages: Python's int() drops the fraction exactly like this.
  const kept = Math.trunc((1 - ratio) * sizes.length);
  const onGpu = sizes.slice(0, kept);
  const onCpu = sizes.slice(kept);
  return { onCpu, onGpu, cpuElements: sum(onCpu), gpuElements: sum(onGpu), largest: Math.max(...sizes) };
}

/**
 * Host memory of ZeRO-3's CPU optimizer: fp32 weights are pageable, a subgroup's fp32 gradients are pinned one by
 * one, all 16-bit gradients lie in one pinned buffer; after a subgroup's step its weights are cast on the CPU before
 * they go back (runtime/zero/stage3.py, 0.19.8; `gpu_bf16.copy_(cpu_fp32)` casts on the CPU).
 */
function cpuOptimizerParts(input: MemoryInput, { onCpu, cpuElements }: Subgroups): PartBytes[] {
  const gradientBlocks = sum(onCpu.map((size) => input.pinned(4 * size)));
  const largest = Math.max(0, ...onCpu);
  return [
    hostPart('fp32 weights', 4 * cpuElements),
    hostPart('moments', 8 * cpuElements),
    hostPart('fp32 gradients, pinned a subgroup', gradientBlocks, input.pinnedSource),
    hostPart('16-bit gradients, pinned', input.pinned(input.weightBytes * input.shard), input.pinnedSource),
    hostPart(
      "a subgroup's weights on their way back",
      input.weightBytes * largest,
      'runtime/zero/stage3.py, _reassign_or_swap_out_partitioned_parameters',
    ),
  ];
}

/** ZeRO-3's offloaded optimizer, both shares of it. */
export function offloadedOptimizerParts(input: MemoryInput): PartBytes[] {
  const subgroups = splitSubgroups(input.subgroups, input.ratio);
  return [
    gpuPart('optimizer state and fp32 gradients that stay on the GPU', 16 * subgroups.gpuElements),
    ...cpuOptimizerParts(input, subgroups),
  ];
}

/** SuperOffload's: the same, and what its worker holds. */
export function superOffloadParts(input: MemoryInput): PartBytes[] {
  const { superOffloadCopies } = input.software;
  const subgroups = splitSubgroups(input.subgroups, input.ratio);
  return [...offloadedOptimizerParts(input), ...(superOffloadCopies ? copies(input, subgroups) : [])];
}

/**
 * The worker shares weights and moments; the pinned gradient blocks stay in the host cache when the gradients move to
 * shared memory, which is the second copy of them, and the worker's buffer holds a third of one subgroup.
 */
function copies(input: MemoryInput, { cpuElements, largest }: Subgroups): PartBytes[] {
  return [
    hostPart(
      'fp32 gradients in shared memory',
      4 * cpuElements,
      'torch.multiprocessing queue of runtime/superoffload',
    ),
    hostPart("the worker's gradient buffer", input.pinned(4 * largest), input.pinnedSource),
  ];
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
