import { activationSource } from './activations.ts';
import {
  bucketPart,
  formulaSource,
  gatheredLayersPart,
  gpuPart,
  hostPart,
  optimizerBytes,
  peakActivations,
  type MemoryInput,
  type PartBytes,
} from './memory-parts.ts';
import { keptOnGpu } from './overlap-subgroups.ts';

const stateSource = 'patches/deepspeed, overlap/optimizer.py, _create_state';
const gradientSource = 'patches/deepspeed, overlap/optimizer.py, _create_gradients';
const blockSource =
  'patches/deepspeed, overlap/blocks.py: every rotating block has room for the largest, and in time all of it is used';

/** Memory of the overlap optimizer (patches/deepspeed), bytes a rank. Nothing of it is rounded up. */
export function overlapParts(input: MemoryInput): PartBytes[] {
  const { sizes } = input.overlap;
  const kept = keptOnGpu(sizes, input.ratio);
  const onCpu = sizes.slice(kept);
  return [...gpuParts(input, sizes.slice(0, kept), sum(onCpu)), ...hostParts(input, onCpu)];
}

/**
 * A rank that is alone has no bucket. Accumulated gradients wait on the GPU, all of them; without accumulation only
 * those of the subgroups that are stepped there.
 */
function gpuParts(input: MemoryInput, onGpu: readonly number[], cpuElements: number): PartBytes[] {
  const gpuElements = sum(onGpu);
  const gradients = gradientBytes(input);
  return [
    gpuPart('weights', input.shard * input.weightBytes),
    gatheredLayersPart(input),
    ...(input.chips === 1 ? [] : [bucketPart(input)]),
    gpuPart(
      'optimizer state and gradients that stay on the GPU',
      (optimizerBytes + gradients) * gpuElements,
      stateSource,
    ),
    ...(input.accumulates ? [gpuPart('accumulated gradients', gradients * cpuElements, gradientSource)] : []),
    gpuPart(
      'activations, or a subgroup in fp32 in its step on the GPU: the larger',
      Math.max(peakActivations(input), 4 * Math.max(0, ...onGpu)),
      `${formulaSource}; ${activationSource}`,
    ),
  ];
}

/**
 * Where a step may be done again (clipping), or gradients come in another format than weights, weights return in memory
 * of their own. Spare blocks are used to the last: in the first step the backward pass takes its time.
 */
function hostParts(input: MemoryInput, onCpu: readonly number[]): PartBytes[] {
  const cpuElements = sum(onCpu);
  const gradients = gradientBytes(input);
  const shares = !input.overlap.clips && gradients === input.weightBytes;
  const { roomElements, spareElements } = blocksOf(onCpu, input.overlap);
  return [
    hostPart('fp32 weights and moments', optimizerBytes * cpuElements, stateSource),
    hostPart('room in their blocks', optimizerBytes * (roomElements - cpuElements), blockSource),
    hostPart('spare blocks', optimizerBytes * spareElements, stateSource),
    hostPart(
      shares ? 'gradients, then returning weights, registered' : 'gradients, registered',
      gradients * cpuElements,
      gradientSource,
    ),
    ...(shares
      ? []
      : [hostPart('returning weights, registered', input.weightBytes * cpuElements, gradientSource)]),
  ];
}

/** Elements of the blocks that the CPU's subgroups lie in, and of the spare ones. */
function blocksOf(
  onCpu: readonly number[],
  { turning, speculation }: MemoryInput['overlap'],
): { readonly roomElements: number; readonly spareElements: number } {
  const largest = Math.min(turning, Math.max(0, ...onCpu));
  const rotating = onCpu.filter((size) => size <= largest);
  const spare = largest === 0 ? 0 : Math.trunc((speculation * sum(rotating)) / largest);
  const room = spare === 0 ? sum(rotating) : rotating.length * largest;
  return { roomElements: room + sum(onCpu) - sum(rotating), spareElements: spare * largest };
}

/** Of one gradient as it is kept: what accumulates, and what several ranks reduce, has the accumulation's format. */
function gradientBytes({ accumulates, chips, weightBytes, overlap }: MemoryInput): number {
  return accumulates || chips > 1 ? overlap.accumulationBytes : weightBytes;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
