import type { Case } from '../experiment/case.ts';
import { lossChunkOf } from '../workloads/loss-chunk.ts';

/**
 * Bytes of activations of one rank, on the chip. What is kept until the backward pass, and what comes on top of it for
 * a short time: the logits with their loss at the turn from forward to backward, later one layer that is recomputed.
 */
export interface Activations {
  readonly kept: number;
  readonly logits: number;
  /** Recomputed activations of one layer; 0 without recomputation, where they are part of `kept`. */
  readonly layer: number;
  /** Gradients of activations that are on their way through a layer, at their widest. */
  readonly gradients: number;
}

export const activationSource =
  'Korthikanti et al. 2022 (arXiv 2205.05198), equation 1, without dropout masks and the s^2 term of a fused attention; ' +
  'a logit counts 12 bytes (built-in) or 16 (Megatron)';

/**
 * A layer keeps 32 s b h bytes in 16 bit (Korthikanti et al. 2022, equation 1: 34, less the two dropout masks), and
 * with unfused attention 5 a s^2 b more; on an H200 20 layers more took 32.0 s b h a layer. Recomputation keeps each
 * layer's 16-bit input. Ranks that share a sequence have their share of its tokens and, within attention, of the heads
 * (Jacobs et al. 2023, DeepSpeed-Ulysses); the output of attention is kept on both sides of its all-to-all, 2 s b h.
 * In the backward pass the widest pair of gradients is that around the GELU, twice 4h a token: seen on an H200 at
 * 131,072 tokens, where nothing else is as large.
 */
export function activationsOf(work: Case): Activations {
  const { layers, hidden, heads } = work.model;
  const tokens = tokensOfRank(work);
  const width = work.dtype === 'fp32' ? 2 : 1;
  const scores =
    work.attention === 'unfused'
      ? (5 * width * heads * work.microBatch * work.sequenceLength ** 2) / work.sequenceParallel
      : 0;
  const bothSides = work.sequenceParallel > 1 ? 2 : 0;
  const layer = (32 + bothSides) * tokens * hidden * width + scores;
  const gradients = 2 * 4 * tokens * hidden * 2 * width;
  const logits = logitBytes(work);
  if (!work.activationCheckpointing) return { kept: layers * layer, logits, layer: 0, gradients };
  const { copies, bytes } = checkpoints(work);
  return { kept: work.activationOffload ? 0 : copies * bytes, logits, layer, gradients };
}

/** The layers' inputs that recomputation starts from, on the chip or in host memory: how many, and bytes of one. */
export function checkpoints(work: Case): { readonly copies: number; readonly bytes: number } {
  const { layers, hidden } = work.model;
  return { copies: layers, bytes: 2 * tokensOfRank(work) * hidden * (work.dtype === 'fp32' ? 2 : 1) };
}

/**
 * The loss at its largest. A logit costs 12 bytes in the built-in trainer: 16-bit, its fp32 copy, its log-softmax and
 * the 16-bit gradient; 16 in Megatron, whose vocabulary-parallel loss has a shifted copy of its own; half of that with
 * a 16-bit loss. In chunks only the logits of one are there, with the head's gradient summed in fp32 and the gradient
 * of the whole input (experiment/trainer/loss.py).
 */
function logitBytes(work: Case): number {
  const { paddedVocabulary, hidden } = work.model;
  const each = (work.workload === 'builtin' ? 12 : 16) / (work.fp16LmCrossEntropy ? 2 : 1);
  const tokens = tokensOfRank(work);
  const chunk = lossChunkOf(work);
  if (chunk === null) return each * tokens * paddedVocabulary;
  const sums = 4 * paddedVocabulary * hidden + (work.dtype === 'fp32' ? 4 : 2) * tokens * hidden;
  return each * chunk * paddedVocabulary + sums;
}

function tokensOfRank({ microBatch, sequenceLength, sequenceParallel }: Case): number {
  return (microBatch * sequenceLength) / sequenceParallel;
}
