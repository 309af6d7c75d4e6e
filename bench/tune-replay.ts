import type { Case, ModeName } from '../src/core/experiment/case.ts';
import { groupBy } from '../src/core/collections/group-by.ts';
import { predictDurationMs } from '../src/core/model/duration.ts';
import { caseTflops } from '../src/core/model/shape.ts';
import { predictTime } from '../src/core/model/step-time.ts';
import { capacityOf, isRoom, predictedNeeds, roomOf } from '../src/core/tune/needs.ts';
import { nextTrial } from '../src/core/tune/search/next-trial.ts';
import type { Candidate, NextTrial, TrialResult, Tuning } from '../src/core/tune/tuning.ts';
import { sampleCase } from '../test/core/sample-case.ts';
import { namedSystem, readData, shapes } from './predict-measured.ts';
import { tuneRequest } from './tune-machine.ts';

/** The search on what was measured (bench/measured/tune-launches.json): it is told what each launch had shown. */

interface MeasuredLaunch {
  readonly size: string;
  readonly mode: ModeName;
  readonly ratio: number | null;
  readonly outcome: 'ok' | 'host_oom' | 'gpu_oom';
  readonly stepMs: number | null;
  readonly lowMs: number | null;
  readonly highMs: number | null;
  readonly gpuReservedGiB: number | null;
  readonly hostGiB: number | null;
  readonly seconds: number;
}

/** What one replay came to. */
export interface Replay {
  readonly launches: readonly { readonly what: string; readonly stepMs: number | null }[];
  readonly minutes: number;
  readonly chosen: string | null;
  /** Its step time over the fastest of those that may be chosen, less 1. */
  readonly lossShare: number | null;
  readonly end: string;
}

export interface ReplayOptions {
  readonly isAsked: (mode: ModeName) => boolean;
  /** What a mode's predictions are multiplied by; 1 where they are taken as they are. */
  readonly error?: (mode: ModeName) => number;
}

interface Known {
  readonly launch: MeasuredLaunch;
  readonly candidate: Candidate;
}

const h200 = namedSystem('h200');
const { launches: measured } = readData('bench/measured/tune-launches.json') as {
  readonly launches: readonly MeasuredLaunch[];
};

/** The search over what was measured of one size, and over nothing else. */
export function replay(size: string, { isAsked, error = () => 1 }: ReplayOptions): Replay {
  const own = measured.filter((launch) => launch.size === size && isAsked(launch.mode));
  // Two launches of the same: the first of them.
  const once = [...groupBy(own, ({ mode, ratio }) => `${mode} ${ratio}`).values()].flatMap((same) =>
    same.slice(0, 1),
  );
  const request = tuneRequest(caseOf(size, { mode: 'ddp', ratio: null }));
  const { objective, budget } = request;
  const capacity = capacityOf(request, h200);
  const fits = once
    .map((launch): Known => ({ launch, candidate: candidateOf(caseOf(size, launch), error(launch.mode)) }))
    .filter(({ candidate }) => isRoom(roomOf(candidate, capacity, budget.memoryMargin)))
    .sort((a, b) => a.candidate.orderMs - b.candidate.orderMs);
  const candidates = fits.map(({ candidate }) => candidate);
  let tuning: Tuning = { objective, budget, capacity, candidates, trials: [], minutes: 0 };
  for (;;) {
    const next = nextTrial(tuning);
    if (next.type === 'done') return endOf(next, tuning, fits);
    const known = fits[next.candidate];
    if (known === undefined) throw new Error(`there is no candidate ${next.candidate}`);
    const { seconds } = known.launch;
    const trial = { candidate: next.candidate, result: resultOf(known), runId: '', seconds, isStored: false };
    tuning = { ...tuning, trials: [...tuning.trials, trial], minutes: tuning.minutes + seconds / 60 };
  }
}

function endOf(
  { best, why }: Extract<NextTrial, { type: 'done' }>,
  { trials, minutes }: Tuning,
  fits: readonly Known[],
): Replay {
  const fastest = Math.min(...fits.map(({ launch }) => launch.stepMs ?? Number.POSITIVE_INFINITY));
  const chosen = best === null ? undefined : fits[best];
  const launches = trials.flatMap(({ candidate }) => {
    const known = fits[candidate];
    return known === undefined ? [] : [{ what: nameOf(known), stepMs: known.launch.stepMs }];
  });
  return {
    launches,
    minutes,
    chosen: chosen === undefined ? null : nameOf(chosen),
    lossShare: chosen === undefined ? null : (chosen.launch.stepMs ?? Number.NaN) / fastest - 1,
    end: why,
  };
}

function nameOf({ launch: { mode, ratio } }: Known): string {
  return ratio === null ? mode : `${mode} ${ratio}`;
}

function caseOf(size: string, { mode, ratio }: Pick<MeasuredLaunch, 'mode' | 'ratio'>): Case {
  const model = shapes().find(({ name }) => name === size);
  if (model === undefined) throw new Error(`there is no ${size}`);
  return sampleCase({ mode, model, ratio, steps: 12 });
}

function candidateOf(subject: Case, error: number): Candidate {
  const stepMs = (predictTime(subject, h200)?.stepMs ?? Number.NaN) * error;
  return {
    subject,
    bindCores: false,
    predictedStepMs: stepMs,
    orderMs: stepMs,
    launchSeconds: (predictDurationMs(subject, h200, subject.steps) ?? 0) / 1000,
    ...predictedNeeds(subject, h200, false),
    why: [],
  };
}

function resultOf({ launch, candidate: { subject } }: Known): TrialResult {
  const { outcome, stepMs, lowMs, highMs, gpuReservedGiB, hostGiB } = launch;
  if (outcome === 'host_oom') return { kind: 'memory', wall: 'host' };
  if (outcome === 'gpu_oom') return { kind: 'memory', wall: 'gpu' };
  if (stepMs === null) return { kind: 'failed', reason: outcome };
  return {
    kind: 'measured',
    medianStepMs: stepMs,
    lowStepMs: lowMs,
    highStepMs: highMs,
    tflopsPerGpu: caseTflops(subject, stepMs).modelTflops,
    gpuGiB: gpuReservedGiB,
    hostGiB,
    isWhole: true,
  };
}
