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
 * Which of the best two is launched once more: where their intervals touch, the choice between them is chance. The one with
 * fewer launches, and of equals the slower one, which may be so by chance.
 * @returns null where they are told apart, where both were launched twice, or where no time is left
 */
export function toRepeat(tuning: Tuning, best: Measured): Measured | null {
  const { budget, minutes } = tuning;
  const second = wholeByTime(tuning).find((one) => one.index !== best.index && leavesMargin(one, tuning));
  if (second === undefined || !isChance(leadOver(second, best))) return null;
  const launches = ({ index }: Measured): number =>
    tuning.trials.filter(({ candidate }) => candidate === index).length;
  const next = launches(best) < launches(second) ? best : second;
  const secondsLeft = (budget.maxMinutes - minutes) * 60;
  return launches(next) >= mostLaunches || next.trial.seconds > secondsLeft ? null : next;
}
