import { activationSource } from './activations.ts';
import {
  bucketBytes,
  formulaSource,
  gpuPart,
  stepBytes,
  type MemoryInput,
  type PartBytes,
} from './memory-parts.ts';

/**
 * ZeRO-2 makes its bucket for the backward pass, when the logits are gone again; the rank's share of the gradients
 * gathers while the activations go. In the step it is flattened and copied to fp32, all at once
 * (runtime/zero/stage_1_and_2.py, step).
 */
export function stage2Part(input: MemoryInput): PartBytes {
  const { activations, shard, weightBytes } = input;
  const bucket = activations.layer + bucketBytes(input);
  const share = shard * weightBytes;
  const first = bucket + activations.gradients;
  const turn = activations.kept + Math.max(activations.logits, first) + (input.accumulates ? share : 0);
  const end = bucket + (input.software.wholeStage2Gradients ? wholeGradients(input) : share);
  return gpuPart(
    'activations and bucket, or gradients, flat and in fp32, in the step: the larger',
    Math.max(turn, end, share + shard * stepBytes(input)),
    `${formulaSource}; ${activationSource}`,
  );
}

/** The same where gradients leave for the host one by one, each cast to fp32 on the way if Adam does not cast. */
export function stage2OffloadParts(input: MemoryInput): PartBytes[] {
  const { activations, largestMatrix, weightBytes, software, fusesCasts } = input;
  const leaving = activations.layer + bucketBytes(input) + (fusesCasts ? 0 : 4 * largestMatrix);
  const end = leaving + (software.wholeStage2Gradients ? wholeGradients(input) : 0);
  return [
    gpuPart(
      'buffer for the largest gradient',
      largestMatrix * weightBytes,
      'runtime/zero/stage_1_and_2.py, temp_grad_buffer_for_gpu_offload',
    ),
    gpuPart(
      'activations, with the logits or with the bucket and a gradient in fp32: the larger',
      Math.max(activations.kept + Math.max(activations.logits, leaving + activations.gradients), end),
      activationSource,
    ),
  ];
}

function wholeGradients({ parameters, weightBytes }: MemoryInput): number {
  return parameters * weightBytes;
}
