import { groupBy } from '../collections/group-by.ts';
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

/**
 * One for each candidate: of several whole launches their geometric mean, in an interval that holds all of theirs, and the
 * most memory of any. Where none was whole, the last.
 */
export function pooledOf(tuning: Pick<Tuning, 'candidates' | 'trials'>): Measured[] {
  return [...groupBy(measuredOf(tuning), ({ index }) => index).values()].flatMap((all) => {
    const whole = all.filter(({ result }) => result.isWhole);
    const last = (whole.length > 0 ? whole : all).at(-1);
    if (last === undefined || whole.length < 2) return last ?? [];
    return { ...last, result: pooled(whole.map(({ result }) => result)) };
  });
}

/** Of each candidate that was measured whole what is pooled of it, the fastest first. */
export function wholeByTime(tuning: Pick<Tuning, 'candidates' | 'trials'>): Measured[] {
  return pooledOf(tuning)
    .filter(({ result }) => result.isWhole)
    .sort((a, b) => a.result.medianStepMs - b.result.medianStepMs);
}

function pooled(results: readonly Measured['result'][]): Measured['result'] {
  const most = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const medianStepMs = Math.exp(mean(results.map((one) => Math.log(one.medianStepMs))));
  const hasIntervals = results.every(
    ({ lowStepMs, highStepMs }) => lowStepMs !== null && highStepMs !== null,
  );
  return {
    kind: 'measured',
    medianStepMs,
    lowStepMs: hasIntervals ? Math.min(...results.map((one) => one.lowStepMs ?? Number.NaN)) : null,
    highStepMs: hasIntervals ? Math.max(...results.map((one) => one.highStepMs ?? Number.NaN)) : null,
    tflopsPerGpu: mean(results.map((one) => one.tflopsPerGpu * one.medianStepMs)) / medianStepMs,
    gpuGiB: most(results.map(({ gpuGiB }) => gpuGiB)),
    hostGiB: most(results.map(({ hostGiB }) => hostGiB)),
    isWhole: true,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
