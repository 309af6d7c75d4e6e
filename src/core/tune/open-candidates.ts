import { median } from '../stats/median.ts';
import { isFallbackOf } from './fallback.ts';
import { lessonsOf, type Lessons } from './lessons.ts';
import type { Candidate, Trial, Tuning } from './tuning.ts';

/** A candidate that may be launched now. */
export interface Open {
  readonly index: number;
  readonly candidate: Candidate;
}

/** Where the search stands. */
export interface Standing {
  readonly lessons: Lessons;
  readonly open: readonly Open[];
  /** Those that would be open, were there time for them. */
  readonly tooLong: readonly Open[];
  /** Measured launches, whole or not. */
  readonly measured: readonly Measured[];
}

export interface Measured extends Open {
  readonly trial: Trial;
  readonly result: Extract<Trial['result'], { kind: 'measured' }>;
}

/** Launches take longer or shorter than predicted by as much as one can believe of a few. */
const [leastPace, mostPace] = [0.3, 3];

export function standingOf(tuning: Tuning): Standing {
  const lessons = lessonsOf(tuning);
  const tried = new Set(tuning.trials.map(({ candidate }) => candidate));
  const possible = tuning.candidates.flatMap((candidate, index): Open[] =>
    !tried.has(index) && lessons.whyOut(candidate) === null ? [{ index, candidate }] : [],
  );
  const measured = measuredOf(tuning);
  const fuller = [...possible, ...measured];
  const useful = possible.filter(
    ({ index, candidate }) =>
      !fuller.some((other) => other.index !== index && isFallbackOf(candidate, other.candidate)),
  );
  const secondsLeft = (tuning.budget.maxMinutes - tuning.minutes) * 60;
  const pace = paceOf(measured);
  const isShort = ({ candidate }: Open): boolean => candidate.launchSeconds * pace <= secondsLeft;
  return {
    lessons,
    open: useful.filter(isShort),
    tooLong: useful.filter((one) => !isShort(one)),
    measured,
  };
}

export function measuredOf({ candidates, trials }: Pick<Tuning, 'candidates' | 'trials'>): Measured[] {
  return trials.flatMap((trial): Measured[] => {
    const candidate = candidates[trial.candidate];
    const { result } = trial;
    if (candidate === undefined || result.kind !== 'measured') return [];
    return [{ index: trial.candidate, candidate, trial, result }];
  });
}

/** How long whole launches took, over what was predicted: the median of those that there are. */
function paceOf(measured: readonly Measured[]): number {
  const whole = measured.filter(({ result }) => result.isWhole);
  if (whole.length === 0) return 1;
  const pace = median(whole.map(({ trial, candidate }) => trial.seconds / candidate.launchSeconds));
  return Math.min(mostPace, Math.max(leastPace, pace));
}
