import type { Case } from '../../experiment/case.ts';
import { cpuRatio } from '../../model/memory.ts';
import { leavesMargin } from '../judge/best.ts';
import { leadOver, type Lead } from '../judge/lead.ts';
import { lessonsOf } from '../judge/lessons.ts';
import { pooledOf, wholeByTime, type Measured, type Numbered } from '../measured.ts';
import { wallTitles } from '../../search/verdict.ts';
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
  /** All of it would fit on the GPU with the margin, by what ran or by prediction, and what offloads a part was chosen. */
  | {
      readonly kind: 'worthwhile';
      /** Of the optimizer, 0 to 1; 0 where only kept activations are on the host. */
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
  const others = tuning.candidates
    .map((candidate, index) => ({ index, candidate }))
    .filter(
      ({ candidate: { subject } }) => offloadsNothing(subject) && subject.model.name === own.model.name,
    );
  const whyNoRoom = shortageOf(tuning);
  const fitting = new Set(others.filter((one) => whyNoRoom(one) === null).map(({ index }) => index));
  if (fitting.size === 0) {
    const [shown] = others.map((one) => ({ subject: one.candidate.subject, reason: whyNoRoom(one) ?? '' }));
    const predicted = rejected.find(({ subject }) => keepsAllOnGpu(subject.mode)) ?? null;
    return { kind: 'needed', lacking: shown ?? predicted };
  }
  const trial = wholeByTime(tuning).find(({ index }) => fitting.has(index));
  return {
    kind: 'worthwhile',
    cpuShare: keepsAllOnGpu(own.mode) ? 0 : cpuRatio(own),
    onGpu: trial === undefined ? null : { trial, lead: leadOver(trial, chosen) },
    differences: trial === undefined ? [] : differences(partsOf(trial.candidate.subject), partsOf(own)),
  };
}

/** Why a candidate does not fit, by its own launch or by those of its like; null where it does, or may. */
function shortageOf(tuning: Tuning): (one: Numbered) => string | null {
  const { whyNoRoom } = lessonsOf(tuning);
  const shown = new Set(
    pooledOf(tuning)
      .filter((one) => leavesMargin(one, tuning))
      .map(({ index }) => index),
  );
  const ranOut = (index: number): string | undefined =>
    tuning.trials
      .flatMap(({ candidate, result }) =>
        candidate === index && result.kind === 'memory' ? [`ran out of ${wallTitles[result.wall]}`] : [],
      )
      .at(-1);
  return ({ index, candidate }) => ranOut(index) ?? (shown.has(index) ? null : whyNoRoom(candidate));
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
