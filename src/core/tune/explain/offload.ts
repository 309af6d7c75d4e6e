import type { Case } from '../../experiment/case.ts';
import { leadOver, type Lead } from '../judge/lead.ts';
import { pooledOf, type Measured } from '../measured.ts';
import { keepsAllOnGpu, offloadsNothing } from '../modes-to-tune.ts';
import type { Rejected, Tuning } from '../tuning.ts';

/** A part of a step and how much longer it is predicted to take than the choice's; below 0 it is shorter. */
interface PartDifference {
  readonly what: string;
  readonly ms: number;
}

/** Whether a size needs offload at all, and what the choice makes of it. */
export type OffloadFinding =
  /** The choice offloads nothing. */
  | { readonly kind: 'needless' }
  /** All of it would fit on the GPU, and what offloads a part is faster. */
  | {
      readonly kind: 'worthwhile';
      /** Of the optimizer, 0 to 1. */
      readonly cpuShare: number;
      /** The fastest measurement without offload; null where none was made whole. */
      readonly onGpu: { readonly trial: Measured; readonly lead: Lead } | null;
      /** By prediction: nobody traced either. Largest first. */
      readonly differences: readonly PartDifference[];
    }
  /** Without offload it does not fit: why not, of the first such mode; null where none was asked for. */
  | { readonly kind: 'needed'; readonly lacking: Rejected | null };

/** Parts of a predicted step; null where it is not predicted. */
export type PartsOf = (subject: Case) => readonly PartDifference[] | null;

export function offloadFinding(
  tuning: Tuning,
  chosen: Measured,
  { rejected, partsOf }: { readonly rejected: readonly Rejected[]; readonly partsOf: PartsOf },
): OffloadFinding {
  const own = chosen.candidate.subject;
  if (offloadsNothing(own)) return { kind: 'needless' };
  const isOther = (subject: Case): boolean =>
    offloadsNothing(subject) && subject.model.name === own.model.name;
  if (!tuning.candidates.some(({ subject }) => isOther(subject))) {
    const lacking = rejected.find(({ subject }) => keepsAllOnGpu(subject.mode)) ?? null;
    return { kind: 'needed', lacking };
  }
  const [trial] = pooledOf(tuning)
    .filter(({ candidate, result }) => result.isWhole && isOther(candidate.subject))
    .sort((a, b) => a.result.medianStepMs - b.result.medianStepMs);
  return {
    kind: 'worthwhile',
    cpuShare: own.ratio ?? 1,
    onGpu: trial === undefined ? null : { trial, lead: leadOver(trial, chosen) },
    differences: trial === undefined ? [] : differences(partsOf(trial.candidate.subject), partsOf(own)),
  };
}

/** Less of the choice's step says nothing. */
const leastShare = 0.05;

function differences(
  other: readonly PartDifference[] | null,
  own: readonly PartDifference[] | null,
): PartDifference[] {
  if (other === null || own === null) return [];
  const byName = new Map<string, number>();
  for (const { what, ms } of other) byName.set(what, (byName.get(what) ?? 0) + ms);
  for (const { what, ms } of own) byName.set(what, (byName.get(what) ?? 0) - ms);
  const leastMs = leastShare * own.reduce((sum, { ms }) => sum + ms, 0);
  return [...byName]
    .map(([what, ms]) => ({ what, ms }))
    .filter(({ ms }) => Math.abs(ms) >= leastMs)
    .sort((a, b) => Math.abs(b.ms) - Math.abs(a.ms));
}
