import { formatNumber } from '../../text/format.ts';
import type { Belief } from '../judge/beliefs.ts';
import { measuredOf, type Measured, type Numbered } from '../measured.ts';
import type { Candidate, Tuning } from '../tuning.ts';

/** Why a candidate is the next to be launched, in words. */
export function whyNext(
  { candidate, belief }: Numbered & { readonly belief: Belief },
  tuning: Tuning,
  best: Measured | null,
): string {
  const ofMode = measuredOf(tuning).filter((one) => one.candidate.subject.mode === candidate.subject.mode);
  if (best === null) return whyFirst(candidate, tuning);
  const could = `may take ${formatNumber(belief.optimisticMs)} ms a step, the best so far takes ${formatNumber(best.result.medianStepMs)}`;
  if (ofMode.length === 0) return `nothing of its mode was tried: ${could}`;
  const nearest = best.candidate.subject.mode === candidate.subject.mode ? best : ofMode[0];
  const change = nearest === undefined ? '' : changeOf(candidate, nearest, tuning);
  return `${change}: ${could}`;
}

function whyFirst(candidate: Candidate, { candidates, trials }: Tuning): string {
  if (trials.length > 0) return 'predicted best of what is left';
  const isFastest = candidates.every(({ orderMs }) => orderMs >= candidate.orderMs);
  return isFastest ? 'predicted best' : 'offloads nothing, and may be as good as the predicted best';
}

/** How a candidate differs from one that was measured. */
function changeOf({ subject }: Candidate, { candidate, result }: Measured, { capacity }: Tuning): string {
  const from = candidate.subject;
  const [ratio, fromRatio] = [subject.ratio ?? 1, from.ratio ?? 1];
  if (ratio < fromRatio) {
    const free = capacity.gpuGiB === null ? null : capacity.gpuGiB - (result.gpuGiB ?? candidate.gpuGiB);
    return free === null
      ? 'more of the optimizer on the GPU'
      : `more of the optimizer on the GPU, where ${free.toFixed(0)} GiB were free`;
  }
  if (subject.microBatch !== from.microBatch)
    return `micro-batch ${subject.microBatch} and not ${from.microBatch}`;
  if (subject.activationCheckpointing !== from.activationCheckpointing) {
    return subject.activationCheckpointing ? 'with recomputation' : 'without recomputation';
  }
  if (ratio > fromRatio) return 'less of the optimizer on the GPU';
  return 'another setting';
}
