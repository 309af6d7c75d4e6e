import { leadOver, type Lead } from '../judge/lead.ts';
import { leavesMargin, worthwhile } from '../judge/best.ts';
import { wholeByTime, type Measured } from '../measured.ts';
import type { Tuning } from '../tuning.ts';

/** Launches of one candidate, at most: more say more of the noise than of the choice. */
export const mostLaunches = 2;

/** Their intervals touch, and by them the other could be faster by more than launches differ. */
function isChance({ isToldApart, low }: Lead): boolean {
  return isToldApart === false && low !== null && low < 1 - worthwhile;
}

/**
 * Which is launched once more, the best or the fastest that it is not told apart from: between them the choice is chance. The
 * one with fewer launches, and of equals the slower one, which may be so by chance.
 * @returns null where the best is told apart from all, where both were launched twice, or where no time is left
 */
export function toRepeat(tuning: Tuning, best: Measured): Measured | null {
  const { budget, minutes } = tuning;
  const second = wholeByTime(tuning).find(
    (one) => one.index !== best.index && leavesMargin(one, tuning) && isChance(leadOver(one, best)),
  );
  if (second === undefined) return null;
  const launches = ({ index }: Measured): number =>
    tuning.trials.filter(({ candidate }) => candidate === index).length;
  const next = launches(best) < launches(second) ? best : second;
  const secondsLeft = (budget.maxMinutes - minutes) * 60;
  return launches(next) >= mostLaunches || next.trial.seconds > secondsLeft ? null : next;
}
