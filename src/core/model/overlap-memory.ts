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
import { overlapShares, type OverlapShares } from './overlap-subgroups.ts';

const stateSource = 'patches/deepspeed, overlap/optimizer.py, _create_state';
const gradientSource = 'patches/deepspeed, overlap/optimizer.py, _create_gradients';
const blockSource =
  'patches/deepspeed, overlap/blocks.py: in time the largest that rotates has been in every block that does';

/** Memory of the overlap optimizer (patches/deepspeed), bytes a rank. Nothing of it is rounded up. */
export function overlapParts(input: MemoryInput): PartBytes[] {
  const shares = overlapShares(input.overlap, { ratio: input.ratio, speculation: input.overlap.speculation });
  return [...gpuParts(input, shares), ...hostParts(input, shares)];
}

/**
 * A rank that is alone has no bucket. Accumulated gradients wait on the GPU, all of them; without accumulation only
 * those of the subgroups that are stepped there.
 */
function gpuParts(input: MemoryInput, { onGpu, gpuElements, cpuElements }: OverlapShares): PartBytes[] {
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
function hostParts(
  input: MemoryInput,
  { cpuElements, roomElements, spareElements }: OverlapShares,
): PartBytes[] {
  const gradients = gradientBytes(input);
  const shares = !input.overlap.clips && gradients === input.weightBytes;
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

/** Of one gradient as it is kept: what accumulates, and what several ranks reduce, has the accumulation's format. */
function gradientBytes({ accumulates, chips, weightBytes, overlap }: MemoryInput): number {
  return accumulates || chips > 1 ? overlap.accumulationBytes : weightBytes;
}
