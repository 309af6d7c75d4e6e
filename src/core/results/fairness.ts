import type { RunRecord } from './record.ts';

/** GPU memory may differ by this share before a ratio of two runs is called unfair: more memory buys speed. */
const memoryTolerance = 0.1;

/** Everything that makes a ratio of two runs say less than it seems to; empty when it is fair. */
export function unfairness(a: RunRecord, b: RunRecord): string[] {
  const reasons: string[] = [];
  const differ = (what: string, left: unknown, right: unknown): void => {
    if (left !== right) reasons.push(`${what} ${String(left)} against ${String(right)}`);
  };
  if (a.case !== null && b.case !== null) {
    differ('workload', a.case.workload, b.case.workload);
    differ('dtype', a.case.dtype, b.case.dtype);
    differ('clipping', a.case.gradientClipping, b.case.gradientClipping);
    differ('recomputation', a.case.activationCheckpointing, b.case.activationCheckpointing);
    differ('global batch', a.case.globalBatch, b.case.globalBatch);
    differ('micro-batch', a.case.microBatch, b.case.microBatch);
    differ('sequence', a.case.sequenceLength, b.case.sequenceLength);
    differ('sequence-parallel', a.case.sequenceParallel, b.case.sequenceParallel);
    differ('activation offload', a.case.activationOffload, b.case.activationOffload);
    differ('16-bit loss', a.case.fp16LmCrossEntropy, b.case.fp16LmCrossEntropy);
    differ('loss chunk', a.case.lossChunk ?? 'by rule', b.case.lossChunk ?? 'by rule');
    differ('dropout', a.case.dropout, b.case.dropout);
  }
  differ('chips', a.worldSize, b.worldSize);
  differ('stack', a.stack?.hash, b.stack?.hash);
  differ('attention', attentionOf(a), attentionOf(b));
  return [...reasons, ...memoryReason(a, b)];
}

/** What the log says ran; else what was asked for. */
function attentionOf({ facts, case: subject }: RunRecord): string | undefined {
  return facts['attention'] ?? subject?.attention;
}

function memoryReason(a: RunRecord, b: RunRecord): string[] {
  const [left, right] = [a.memory.gpuAllocatedGiB, b.memory.gpuAllocatedGiB];
  if (left === null || right === null) return [];
  const share = Math.abs(left - right) / Math.max(left, right, Number.MIN_VALUE);
  return share > memoryTolerance ? [`GPU memory ${left.toFixed(1)} against ${right.toFixed(1)} GiB`] : [];
}
