import { groupBy } from '../collections/group-by.ts';
import type { Candidate, MeasuredResult, Trial, Tuning } from './tuning.ts';

/** A candidate with its index. */
export interface Numbered {
  readonly index: number;
  readonly candidate: Candidate;
}

/** A trial whose steps were timed, whole or not, with its candidate. */
export interface Measured extends Numbered {
  readonly trial: Trial;
  readonly result: MeasuredResult;
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
    const last = all.findLast(({ result }) => result.isWhole) ?? all.at(-1);
    if (last === undefined) return [];
    return { ...last, result: pooledResult(all.map(({ result }) => result)) ?? last.result };
  });
}

/** Of each candidate that was measured whole what is pooled of it, the fastest first. */
export function wholeByTime(tuning: Pick<Tuning, 'candidates' | 'trials'>): Measured[] {
  return pooledOf(tuning)
    .filter(({ result }) => result.isWhole)
    .sort((a, b) => a.result.medianStepMs - b.result.medianStepMs);
}

/**
 * Launches of one case as one measurement: the geometric mean of the whole ones, in an interval that holds all of theirs,
 * and the most memory of any.
 * @returns null where none was whole
 */
export function pooledResult(all: readonly MeasuredResult[]): MeasuredResult | null {
  const results = all.filter(({ isWhole }) => isWhole);
  const [first] = results;
  if (first === undefined || results.length === 1) return first ?? null;
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
