import { abandonAboveMs } from '../judge/abandon.ts';
import { believe, type Belief } from '../judge/beliefs.ts';
import { aimOf, bestOf, worthwhile } from '../judge/best.ts';
import { keepsAllOnGpu } from '../modes-to-tune.ts';
import { nextSize } from './next-size.ts';
import { toRepeat } from './repeat.ts';
import type { Measured, Numbered } from '../measured.ts';
import { standingOf, type Standing } from './open-candidates.ts';
import type { NextTrial, Tuning } from '../tuning.ts';
import { whyNext } from './why-next.ts';

/**
 * What to launch next, or that nothing is left to launch for: from the predictions, corrected by every trial so far
 * (beliefs.ts), the one that could be the fastest; while it could be 2% faster than the best.
 *
 * Beside others: DeepSpeed's autotuner prunes by estimated memory too, then measures a grid a ZeRO stage and stops after
 * five without a gain; here a stage that cannot win by its bounds is not measured at all. Bayesian searches of Ax and
 * Optuna bring no prediction of their own; median pruning and successive halving compare a trial's first steps with other
 * trials', of which there are too few here, and a launch costs more than its steps: so a trial is held against the best.
 */
export function nextTrial(tuning: Tuning): NextTrial {
  const { budget, trials, minutes } = tuning;
  const best = bestOf(tuning)?.index ?? null;
  const used = trials.filter(({ isStored }) => !isStored).length;
  if (used >= budget.maxTrials) return { type: 'done', best, why: `${used} trials are made` };
  if (minutes >= budget.maxMinutes)
    return { type: 'done', best, why: `${budget.maxMinutes} minutes are spent` };
  const standing = standingOf(tuning);
  if (standing.open.length === 0) {
    const aim = tuning.objective === 'throughput' ? aimOf(tuning) : null;
    const again = aim === null ? null : repeated(tuning, aim);
    return again ?? { type: 'done', best, why: whyNothing(standing) };
  }
  return tuning.objective === 'size' ? nextSize(tuning, standing) : nextFastest(tuning, standing);
}

function nextFastest(tuning: Tuning, standing: Standing): NextTrial {
  const belief = believe(
    standing.measured.map(({ candidate, result }) => ({ candidate, stepMs: result.medianStepMs })),
  );
  const best = aimOf(tuning);
  const believed = standing.open.map((open) => ({ ...open, belief: belief(open.candidate) }));
  const next = best === null ? firstOf(believed) : lowest(believed, optimisticOf);
  if (best !== null && next.belief.optimisticMs > best.result.medianStepMs * (1 - worthwhile)) {
    return repeated(tuning, best) ?? { type: 'done', best: best.index, why: whyConverged(best, standing) };
  }
  return {
    type: 'trial',
    candidate: next.index,
    why: whyNext(next, tuning, best),
    abandonAboveMs: abandonAboveMs(best),
  };
}

/** Where the best two are not told apart, one of them once more. */
function repeated(tuning: Tuning, best: Measured): NextTrial | null {
  const again = toRepeat(tuning, best);
  if (again === null) return null;
  const why = 'once more: the best two are not told apart';
  return { type: 'trial', candidate: again.index, why, abandonAboveMs: null };
}

/** The predicted best; or what offloads nothing, where that may be as good: its launch is short, and it says the most. */
function firstOf(believed: readonly Believed[]): Believed {
  const likeliest = lowest(believed, expectedOf);
  const onGpu = believed.filter(
    ({ candidate, belief }) =>
      keepsAllOnGpu(candidate.subject.mode) && belief.optimisticMs <= likeliest.belief.expectedMs,
  );
  return onGpu.length === 0 ? likeliest : lowest(onGpu, expectedOf);
}

interface Believed extends Numbered {
  readonly belief: Belief;
}

function expectedOf({ belief }: Believed): number {
  return belief.expectedMs;
}

function optimisticOf({ belief }: Believed): number {
  return belief.optimisticMs;
}

/** The first of the lowest: candidates stand in the order of their predictions. */
function lowest(all: readonly Believed[], value: (one: Believed) => number): Believed {
  return all.reduce((least, one) => (value(one) < value(least) ? one : least));
}

function whyConverged(best: Measured, { tooLong }: Standing): string {
  const rest = tooLong.length === 0 ? '' : ` that could finish in time`;
  return best.trial.isStored && rest === ''
    ? 'no other candidate can be 2% faster than what is known already'
    : `no other candidate${rest} can be 2% faster`;
}

function whyNothing({ tooLong, measured }: Standing): string {
  if (tooLong.length > 0) {
    const shortest = Math.min(...tooLong.map(({ candidate }) => candidate.launchSeconds)) / 60;
    return `no candidate that is left can finish in the minutes that are left: the shortest is expected to take ${shortest.toFixed(1)} (--max-minutes)`;
  }
  return measured.length === 0 ? 'no candidate is left' : 'every candidate that may win was tried';
}
