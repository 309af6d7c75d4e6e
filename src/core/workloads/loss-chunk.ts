import type { Case } from '../experiment/case.ts';

const gibibyte = 2 ** 30;
/** fp32 logits of a rank above which they are never whole; 8 sequences of 1024 tokens, as throughput has them, stay so. */
const wholeLogitsBytes = 2 * gibibyte;
/** fp32 logits of one chunk: thousands of tokens, enough for a fast matrix product. */
const chunkLogitsBytes = gibibyte / 2;

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
  const bytesPerToken = 4 * work.model.paddedVocabulary;
  const byRule =
    tokens * bytesPerToken > wholeLogitsBytes ? Math.floor(chunkLogitsBytes / bytesPerToken) : tokens;
  const chunk = Math.max(1, work.lossChunk ?? byRule);
  return chunk < tokens ? chunk : null;
}
