import { groupBy } from '../../collections/group-by.ts';
import type { ModeName } from '../../experiment/case.ts';
import { needAt, type Wall } from '../../search/frontier.ts';
import {
  corrected,
  isRoom,
  noFactors,
  roomOf,
  shortageText,
  type MemoryFactor,
  type MemoryFactors,
} from '../needs.ts';
import type { Candidate, Trial, Tuning } from '../tuning.ts';
import { wallTitles } from '../../search/verdict.ts';

/** What the trials have shown of memory and of modes that fail. */
export interface Lessons {
  readonly factors: MemoryFactors;
  /** Why a candidate is not to be tried any more, in words; null where it may be. Says nothing of time. */
  readonly whyOut: (candidate: Candidate) => string | null;
  /** The same of memory alone. */
  readonly whyNoRoom: (candidate: Candidate) => string | null;
}

/** Less than was predicted is believed up to this: a trial may end before its peak. */
const leastFactor = 0.85;
/** GiB: below it libraries and caches are a large share, and no wall is near. */
const leastToCompare = 8;
/** Failures that are nobody's memory: one may be the configuration's own, two are the mode's. */
const failuresOfMode = 2;

interface Ended {
  readonly trial: Trial;
  readonly candidate: Candidate;
}

export function lessonsOf(tuning: Pick<Tuning, 'candidates' | 'trials' | 'capacity' | 'budget'>): Lessons {
  const ended = tuning.trials.flatMap((trial): Ended[] => {
    const candidate = tuning.candidates[trial.candidate];
    return candidate === undefined ? [] : [{ trial, candidate }];
  });
  const factors = factorsOf(ended, tuning);
  const failed = failedModes(ended);
  const { capacity, budget } = tuning;
  const whyNoRoom = (candidate: Candidate): string | null => {
    const wall = ended.find((one) => isForbidden(one, candidate, ended));
    if (wall?.trial.result.kind === 'memory') {
      return `needs as much ${wallTitles[wall.trial.result.wall]} as one that ran out of it`;
    }
    const needs = corrected(candidate, factors(candidate.subject.mode));
    if (isRoom(roomOf(needs, capacity, budget.memoryMargin))) return null;
    return `by what trials of its mode took, ${shortageText(needs, capacity, budget.memoryMargin)}`;
  };
  const whyOut = (candidate: Candidate): string | null =>
    failed.get(candidate.subject.mode) ?? whyNoRoom(candidate);
  return { factors, whyOut, whyNoRoom };
}

function failedModes(ended: readonly Ended[]): Map<ModeName, string> {
  const failures = ended.flatMap(({ trial: { result }, candidate: { subject } }) =>
    result.kind === 'failed' ? [{ mode: subject.mode, reason: result.reason }] : [],
  );
  const repeated = [...groupBy(failures, ({ mode }) => mode)].filter(
    ([, all]) => all.length >= failuresOfMode,
  );
  return new Map(
    repeated.map(([mode, all]) => [
      mode,
      `${all.length} launches of this mode failed: ${all.at(-1)?.reason ?? ''}`,
    ]),
  );
}

/** Whether a launch ran out of a memory that another candidate needs as much of, unless one that needs it ran. */
function isForbidden(
  { trial: { result }, candidate: failed }: Ended,
  other: Candidate,
  all: readonly Ended[],
): boolean {
  if (result.kind !== 'memory') return false;
  const { wall } = result;
  if (needAt(other, wall) < needAt(failed, wall)) return false;
  const isRefuted = all.some(
    ({ trial, candidate }) =>
      trial.result.kind === 'measured' && needAt(candidate, wall) >= needAt(failed, wall),
  );
  return !isRefuted;
}

/** Measured over predicted, the most of a mode's trials; where one ran out of it, at least what there was. */
function factorsOf(ended: readonly Ended[], { capacity }: Pick<Tuning, 'capacity'>): MemoryFactors {
  const ofModes = new Map<ModeName, MemoryFactor>();
  for (const [mode, own] of groupBy(ended, ({ candidate }) => candidate.subject.mode)) {
    const seen = (wall: 'gpu' | 'host', have: number | null): number => {
      const shares = own.flatMap((one) => shareOf(one, wall, have) ?? []);
      return shares.length === 0 ? 1 : Math.max(leastFactor, ...shares);
    };
    ofModes.set(mode, { gpu: seen('gpu', capacity.gpuGiB), host: seen('host', capacity.hostGiB) });
  }
  return (mode) => ofModes.get(mode) ?? noFactors(mode);
}

function shareOf(
  { trial: { result }, candidate }: Ended,
  kind: 'gpu' | 'host',
  have: number | null,
): number | null {
  const predicted = needAt(candidate, kind);
  if (predicted < leastToCompare) return null;
  if (result.kind === 'memory') {
    return kindOf(result.wall) === kind && have !== null ? Math.max(1, have / predicted) : null;
  }
  if (result.kind !== 'measured') return null;
  const measured = kind === 'gpu' ? result.gpuGiB : result.hostGiB;
  if (measured === null) return null;
  return result.isWhole ? measured / predicted : Math.max(1, measured / predicted);
}

function kindOf(wall: Wall): 'gpu' | 'host' {
  return wall === 'gpu' ? 'gpu' : 'host';
}
