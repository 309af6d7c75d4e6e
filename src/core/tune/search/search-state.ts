import type { System } from '../../experiment/case.ts';
import { lessonsOf } from '../judge/lessons.ts';
import { capacityOf, type MemoryFactor } from '../needs.ts';
import { candidateKey, proposeCandidates, type Proposal } from '../propose/propose.ts';
import type { TuneRequest } from '../request.ts';
import type { Trial, Tuning } from '../tuning.ts';

/** A search that has begun with nothing, and what it will not try. */
export function startTuning(
  request: TuneRequest,
  system: System,
): { readonly tuning: Tuning; readonly rejected: Proposal['rejected'] } {
  const { candidates, rejected } = proposeCandidates(request, system);
  const { objective, budget } = request;
  const tuning = {
    objective,
    budget,
    capacity: capacityOf(request, system),
    candidates,
    trials: [],
    minutes: 0,
  };
  return { tuning, rejected };
}

/**
 * The search after one more trial. What it took of memory may show that more fits than was predicted: then there are new
 * candidates, after all others, so that an index stays what it is.
 * @param minutes that this command has spent so far
 */
export function withTrial(
  tuning: Tuning,
  trial: Trial,
  context: { readonly request: TuneRequest; readonly system: System; readonly minutes: number },
): Tuning {
  const { request, system, minutes } = context;
  const next = { ...tuning, trials: [...tuning.trials, trial], minutes };
  const { factors } = lessonsOf(next);
  const mode = tuning.candidates[trial.candidate]?.subject.mode;
  const before = lessonsOf(tuning).factors;
  if (mode === undefined || isSameFactor(before(mode), factors(mode))) return next;
  const known = new Set(next.candidates.map(candidateKey));
  // No other mode's memory is known any better than before.
  const found = proposeCandidates({ ...request, modes: [mode] }, system, factors).candidates.filter(
    (candidate) => !known.has(candidateKey(candidate)),
  );
  return { ...next, candidates: [...next.candidates, ...found] };
}

function isSameFactor(a: MemoryFactor, b: MemoryFactor): boolean {
  return a.gpu === b.gpu && a.host === b.host;
}

/** A trial by what it was of: {@link candidateKey}. */
export interface KnownTrial extends Omit<Trial, 'candidate'> {
  readonly key: string;
}

/**
 * The search after trials that were made before, in their order: stored ones of other commands, and this one's own where
 * it goes on. One of something that is no candidate now (the margin, the modes or the flags are others) is left out.
 */
export function withKnownTrials(
  tuning: Tuning,
  known: readonly KnownTrial[],
  context: { readonly request: TuneRequest; readonly system: System },
): Tuning {
  return known.reduce((state, { key, ...trial }) => {
    const candidate = state.candidates.findIndex((one) => candidateKey(one) === key);
    if (candidate === -1) return state;
    const minutes = state.minutes + (trial.isStored ? 0 : trial.seconds / 60);
    return withTrial(state, { ...trial, candidate }, { ...context, minutes });
  }, tuning);
}
