import type { Candidate, Trial, Tuning } from './tuning.ts';

/** A candidate with its index. */
export interface Numbered {
  readonly index: number;
  readonly candidate: Candidate;
}

/** A launch whose steps were timed, whole or not. */
export interface Measured extends Numbered {
  readonly trial: Trial;
  readonly result: Extract<Trial['result'], { kind: 'measured' }>;
}

export function measuredOf({ candidates, trials }: Pick<Tuning, 'candidates' | 'trials'>): Measured[] {
  return trials.flatMap((trial): Measured[] => {
    const candidate = candidates[trial.candidate];
    const { result } = trial;
    if (candidate === undefined || result.kind !== 'measured') return [];
    return [{ index: trial.candidate, candidate, trial, result }];
  });
}
