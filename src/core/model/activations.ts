import type { AttentionName, CaseWorkload, Dtype, ModelShape } from '../experiment/case.ts';
import { lossChunkOf } from '../workloads/loss-chunk.ts';

/** What decides the activations of one rank. */
export interface ActivationWork {
  readonly workload: CaseWorkload;
  readonly model: ModelShape;
  readonly microBatch: number;
  readonly sequenceLength: number;
  readonly sequenceParallel: number;
  readonly activationCheckpointing: boolean;
  readonly activationOffload: boolean;
  readonly attention: AttentionName;
  readonly dtype: Dtype;
  readonly fp16LmCrossEntropy: boolean;
  readonly lossChunk?: number;
}

/**
 * Bytes of activations of one rank, on the chip. What is kept until the backward pass, and what comes on top of it for
 * a short time: the logits with their loss at the turn from forward to backward, later one layer that is recomputed.
 */
export interface Activations {
  readonly kept: number;
  readonly logits: number;
  /** Recomputed activations of one layer; 0 without recomputation, where they are part of `kept`. */
  readonly layer: number;
}

export const activationSource =
  'Korthikanti et al. 2022 (arXiv 2205.05198), equation 1, without dropout masks and the s^2 term of a fused attention; ' +
  'a logit counts 12 bytes (built-in) or 16 (Megatron)';

/**
 * A layer keeps 32 s b h bytes in 16 bit (Korthikanti et al. 2022, equation 1: 34, less the two dropout masks), and
 * with unfused attention 5 a s^2 b more; on an H200 20 layers more took 32.0 s b h a layer. Recomputation keeps each
 * layer's 16-bit input. A logit costs 12 bytes in the built-in trainer: 16-bit, its fp32 copy, its log-softmax and the
 * 16-bit gradient; 16 in Megatron, whose vocabulary-parallel loss has a shifted copy of its own. Ranks that share a
 * sequence have their share of its tokens and, within attention, of the heads (Jacobs et al. 2023, DeepSpeed-Ulysses).
 */
export function activationsOf(work: ActivationWork): Activations {
  const { layers, hidden, heads, paddedVocabulary } = work.model;
  const tokens = tokensOfRank(work);
  const width = work.dtype === 'fp32' ? 2 : 1;
  const scores =
    work.attention === 'unfused'
      ? (5 * width * heads * work.microBatch * work.sequenceLength ** 2) / work.sequenceParallel
      : 0;
  const layer = 32 * tokens * hidden * width + scores;
  const chunk = lossChunkOf(work);
  const logits =
    bytesPerLogit(work) * (chunk ?? tokens) * paddedVocabulary + (chunk === null ? 0 : chunkSumBytes(work));
  if (!work.activationCheckpointing) return { kept: layers * layer, logits, layer: 0 };
  return { kept: work.activationOffload ? 0 : checkpointBytes(work), logits, layer };
}

/** Bytes of the layers' inputs that recomputation starts from: on the chip, or in host memory when offloaded. */
export function checkpointBytes(work: ActivationWork): number {
  const { layers, hidden } = work.model;
  return layers * 2 * tokensOfRank(work) * hidden * (work.dtype === 'fp32' ? 2 : 1);
}

/** A loss in chunks adds up the head's gradient in fp32, and has that of its whole input (trainer/loss.py). */
function chunkSumBytes(work: ActivationWork): number {
  const { hidden, paddedVocabulary } = work.model;
  return 4 * paddedVocabulary * hidden + (work.dtype === 'fp32' ? 4 : 2) * tokensOfRank(work) * hidden;
}

/** A 16-bit loss has no fp32 copies: half of everything. */
function bytesPerLogit({ workload, fp16LmCrossEntropy }: ActivationWork): number {
  if (workload === 'builtin') return fp16LmCrossEntropy ? 6 : 12;
  return fp16LmCrossEntropy ? 8 : 16;
}

function tokensOfRank({ microBatch, sequenceLength, sequenceParallel }: ActivationWork): number {
  return (microBatch * sequenceLength) / sequenceParallel;
}
