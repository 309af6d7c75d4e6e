import { reservedByOverlapGiB } from '../../core/model/predict.ts';
import { usesOverlap } from '../../core/model/superoffload-settings.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { isMeasured } from '../../core/results/summarize.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import type { TrialResult } from '../../core/tune/tuning.ts';

/** What a run says to a tuning; null where a person or the end of its tool stopped it, which says nothing. */
export function trialResultOf(record: RunRecord): TrialResult | null {
  const { outcome, statistics, abandoned } = record;
  if (outcome.class === 'interrupted' || outcome.class === 'cancelled') return null;
  const isEarly = abandoned !== undefined && outcome.class === 'ok';
  if (statistics !== null && (isMeasured(record) || isEarly)) {
    const { medianMs, interval } = statistics;
    return {
      kind: 'measured',
      medianStepMs: medianMs,
      lowStepMs: interval?.lowMs ?? null,
      highStepMs: interval?.highMs ?? null,
      tflopsPerGpu: record.throughput.modelTflopsPerGpu ?? 0,
      gpuGiB: gpuNeedGiB(record),
      hostGiB: record.memory.hostGiB ?? record.exit.peakHostGiB,
      isWhole: !isEarly,
    };
  }
  const verdict = verdictOf(record);
  if (verdict.kind === 'memory') return verdict;
  // What failed first and then hung until its time was over has failed.
  if (outcome.class === 'time_limit' && record.exit.stoppedBy === 'timeout') {
    return { kind: 'unfinished', reason: outcome.reason };
  }
  return { kind: 'failed', reason: `${outcome.class}: ${outcome.reason}` };
}

/** What PyTorch reserved; of the overlap optimizer without what it reserved for gradients that waited for the link. */
function gpuNeedGiB({
  case: subject,
  memory: { gpuAllocatedGiB, gpuReservedGiB },
}: RunRecord): number | null {
  if (subject === null || gpuAllocatedGiB === null || gpuReservedGiB === null) return gpuReservedGiB;
  return usesOverlap(subject)
    ? Math.min(gpuReservedGiB, gpuAllocatedGiB + reservedByOverlapGiB)
    : gpuReservedGiB;
}
