import { median } from '../../stats/median.ts';
import { isFallbackOf } from '../judge/fallback.ts';
import { lessonsOf, type Lessons } from '../judge/lessons.ts';
import { measuredOf, type Measured, type Numbered } from '../measured.ts';
import { aimOf, bestOf, leavesMargin } from '../judge/best.ts';
import { candidateKey } from '../propose/propose.ts';
import type { Candidate, Trial, Tuning } from '../tuning.ts';

/** Where the search stands. */
export interface Standing {
  readonly lessons: Lessons;
  readonly open: readonly Numbered[];
  /** Those that would be open, were there time for them. */
  readonly tooLong: readonly Numbered[];
  /** Measured launches, whole or not. */
  readonly measured: readonly Measured[];
}

/** Launches take longer or shorter than predicted by as much as one can believe of a few. */
const [leastPace, mostPace] = [0.3, 3];

export function standingOf(tuning: Tuning): Standing {
  const lessons = lessonsOf(tuning);
  const aim = tuning.objective === 'size' ? null : aimOf(tuning);
  const tried = new Set(
    tuning.trials.filter((trial) => isDecided(trial, aim)).map(({ candidate }) => candidate),
  );
  const possible = tuning.candidates.flatMap((candidate, index): Numbered[] =>
    !tried.has(index) && lessons.whyOut(candidate) === null ? [{ index, candidate }] : [],
  );
  const measured = measuredOf(tuning);
  const fuller = [...possible, ...measured.filter((one) => leavesMargin(one, tuning))];
  const best = bestOf(tuning);
  const useful = possible.filter(
    ({ index, candidate }) =>
      (best !== null && isNeighbour(candidate, best.candidate)) ||
      !fuller.some((other) => other.index !== index && isFallbackOf(candidate, other.candidate)),
  );
  const secondsLeft = (tuning.budget.maxMinutes - tuning.minutes) * 60;
  const pace = paceOf(measured);
  const isShort = ({ candidate }: Numbered): boolean => candidate.launchSeconds * pace <= secondsLeft;
  return {
    lessons,
    open: useful.filter(isShort),
    tooLong: useful.filter((one) => !isShort(one)),
    measured,
  };
}

/**
 * Whether a trial leaves nothing to ask. One that another search stopped early was slower than the best of that search:
 * where it is none to choose here (other modes, another margin), it may still be the best.
 */
function isDecided({ result, isStored }: Trial, aim: Measured | null): boolean {
  if (!isStored || result.kind !== 'measured' || result.isWhole) return true;
  return aim !== null && result.medianStepMs > aim.result.medianStepMs;
}

/** The same with half or twice the micro-batch: what is next to the best is worth a look, whatever speaks against it. */
function isNeighbour({ subject, bindCores }: Candidate, best: Candidate): boolean {
  const share = subject.microBatch / best.subject.microBatch;
  if (share !== 0.5 && share !== 2) return false;
  const { microBatch, gradientAccumulation } = best.subject;
  const same: Candidate['subject'] = { ...subject, microBatch, gradientAccumulation };
  return candidateKey({ subject: same, bindCores }) === candidateKey(best);
}

/** How long whole launches took, over what was predicted: the median of those that there are. */
function paceOf(measured: readonly Measured[]): number {
  const whole = measured.filter(({ result }) => result.isWhole);
  if (whole.length === 0) return 1;
  const pace = median(whole.map(({ trial, candidate }) => trial.seconds / candidate.launchSeconds));
  return Math.min(mostPace, Math.max(leastPace, pace));
}
