import type { Case } from '../experiment/case.ts';

/**
 * fp32 logits of a rank that are in memory at one time: those of 8 sequences of 1024 tokens, as throughput has them, are
 * whole. One number for the limit and for the chunk, so that more tokens never need less memory.
 */
const logitsBytes = 2 * 2 ** 30;

type LossWork = Pick<
  Case,
  'workload' | 'model' | 'microBatch' | 'sequenceLength' | 'sequenceParallel' | 'lossChunk'
>;

/**
 * Tokens of a rank whose logits are in memory at one time; null: all of them. The built-in trainer computes the loss
 * of longer sequences in chunks, and computes their logits again in the backward pass: one more product with the head,
 * which no count of FLOPs contains. Megatron always has all logits.
 */
export function lossChunkOf(work: LossWork): number | null {
  if (work.workload !== 'builtin') return null;
  const tokens = (work.microBatch * work.sequenceLength) / work.sequenceParallel;
  const byRule = Math.max(1, Math.floor(logitsBytes / (4 * work.model.paddedVocabulary)));
  const chunk = work.lossChunk ?? byRule;
  return chunk < tokens ? chunk : null;
}
