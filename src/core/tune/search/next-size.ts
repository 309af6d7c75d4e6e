import { groupBy } from '../../collections/group-by.ts';
import { parameterCount } from '../../model/shape.ts';
import { bestOf, parametersOf } from '../judge/best.ts';
import { corrected, roomOf } from '../needs.ts';
import type { Measured, Numbered } from '../measured.ts';
import type { Standing } from './open-candidates.ts';
import type { Candidate, NextTrial, Tuning } from '../tuning.ts';

/** Launches of one size that ran out of memory before it is given up. */
const mostOfSize = 2;

/**
 * The next step towards the largest model: the largest that is thought to fit, in the configuration with the most room of
 * those that may win (a leaner way of a mode only where no fuller one can run);
 * down where that ran out of memory, up where what ran has shown that more fits (candidates are proposed anew after
 * each trial). It ends at an edge: a size that runs, below one that does not.
 */
export function nextSize(tuning: Tuning, standing: Standing): NextTrial {
  const best = bestOf(tuning);
  const least = best === null ? 0 : parametersOf(best);
  const failures = failuresBySize(tuning);
  const larger = standing.open.filter(({ candidate }) => {
    const size = sizeOf(candidate);
    return size > least && (failures.get(size) ?? 0) < mostOfSize;
  });
  const largest = Math.max(...larger.map(({ candidate }) => sizeOf(candidate)));
  const next = roomiest(
    larger.filter(({ candidate }) => sizeOf(candidate) === largest),
    tuning,
    standing,
  );
  if (next === null)
    return { type: 'done', best: best?.index ?? null, why: whyEdge(best, standing, failures) };
  const why =
    best === null
      ? tuning.trials.length === 0
        ? `the largest that is predicted to fit${isCutShort(standing, largest) ? ' and to finish in time' : ''}, where it leaves the most room`
        : 'the largest that is left, where it leaves the most room'
      : 'what ran left room for it';
  return { type: 'trial', candidate: next.index, why, abandonAboveMs: null };
}

/** Whether a larger size was left out for its time alone. */
function isCutShort({ tooLong }: Standing, parameters: number): boolean {
  return tooLong.some(({ candidate }) => sizeOf(candidate) > parameters);
}

function whyEdge(best: Measured | null, standing: Standing, failures: ReadonlyMap<number, number>): string {
  if (isCutShort(standing, best === null ? 0 : parametersOf(best)))
    return 'a launch of a larger size would not have finished in the minutes that were left (--max-minutes)';
  if (best === null) return 'no size ran';
  return failures.size === 0
    ? 'no larger size is predicted to fit, by what the trials took'
    : 'the next larger size does not run';
}

function failuresBySize({ candidates, trials }: Tuning): Map<number, number> {
  const sizes = trials.flatMap(({ candidate, result }) => {
    const tried = candidates[candidate];
    return tried === undefined || ['measured', 'unfinished'].includes(result.kind) ? [] : [sizeOf(tried)];
  });
  return new Map([...groupBy(sizes, (size) => size)].map(([size, all]) => [size, all.length]));
}

/** Room is compared in whole percents; of equals the faster. */
function roomiest(
  open: readonly Numbered[],
  { capacity, budget }: Tuning,
  { lessons }: Standing,
): Numbered | null {
  const roomPercent = (candidate: Candidate): number => {
    const needs = corrected(candidate, lessons.factors(candidate.subject.mode));
    const { gpu, host } = roomOf(needs, capacity, budget.memoryMargin);
    return Math.round(100 * Math.min(gpu, host, 1));
  };
  const ranked = open
    .map((one) => ({ one, room: roomPercent(one.candidate) }))
    .sort((a, b) => b.room - a.room || a.one.candidate.orderMs - b.one.candidate.orderMs);
  return ranked[0]?.one ?? null;
}

function sizeOf({ subject }: Candidate): number {
  return parameterCount(subject.model, subject.sequenceLength);
}
