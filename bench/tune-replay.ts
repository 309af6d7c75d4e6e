import type { Case, ModeName } from '../src/core/experiment/case.ts';
import { groupBy } from '../src/core/collections/group-by.ts';
import { predictDurationMs } from '../src/core/model/duration.ts';
import { caseTflops } from '../src/core/model/shape.ts';
import { predictTime } from '../src/core/model/step-time.ts';
import { capacityOf, isRoom, predictedNeeds, roomOf } from '../src/core/tune/needs.ts';
import { bestOf } from '../src/core/tune/judge/best.ts';
import { nextTrial } from '../src/core/tune/search/next-trial.ts';
import type { Candidate, NextTrial, TrialResult, Tuning } from '../src/core/tune/tuning.ts';
import { median } from '../src/core/stats/median.ts';
import { sampleCase } from '../test/core/sample-case.ts';
import { namedSystem, readData, shapes } from './predict-measured.ts';
import { tuneRequest } from './tune-machine.ts';

/** The search on what was measured (bench/measured/tune-launches.json): it is told what each launch had shown. */

interface MeasuredLaunch {
  readonly archive: string;
  readonly size: string;
  readonly mode: ModeName;
  readonly ratio: number | null;
  readonly overrides?: Readonly<Record<string, unknown>>;
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
  readonly machine: Machine;
  readonly isAsked: (mode: ModeName) => boolean;
  /** What a mode's predictions are multiplied by; 1 where they are taken as they are. */
  readonly error?: (mode: ModeName) => number;
}

/** Machines of the kind, by the archives of what ran on them: the search is told of one at a time. */
const archives = {
  first: ['h200-runs', 'overlap-runs'],
  second: ['overlap-campaigns'],
  third: ['overlap-fair'],
  fourth: ['overlap-3b'],
  fifth: ['overlap-clip'],
  sixth: ['ablation-2b', 'timelines-2b'],
  seventh: ['tune-5b-7b-16b', 'ablation-5b', 'timelines-2b-zero-2'],
  eighth: ['tune-3b', 'overlap-clip-rates'],
} as const;

export type Machine = keyof typeof archives;

interface Known {
  readonly name: string;
  /** Of the same configuration, in the order in which they were made. */
  readonly launches: readonly MeasuredLaunch[];
  readonly candidate: Candidate;
}

const h200 = namedSystem('h200');
const { launches: measured } = readData('bench/measured/tune-launches.json') as {
  readonly launches: readonly MeasuredLaunch[];
};

/** The search over what was measured of one size, and over nothing else. */
export function replay(size: string, { machine, isAsked, error = () => 1 }: ReplayOptions): Replay {
  const own = measured.filter(
    (launch) => launch.size === size && ranOn(launch, machine) && isAsked(launch.mode),
  );
  const known = [...groupBy(own, (launch) => nameOf(launch))];
  const request = tuneRequest(caseOf(size, { mode: 'ddp', ratio: null }));
  const { objective, budget } = request;
  const capacity = capacityOf(request, h200);
  const fits = known
    .flatMap(([name, launches]): Known[] => {
      const [first] = launches;
      if (first === undefined) return [];
      return [{ name, launches, candidate: candidateOf(caseOf(size, first), error(first.mode)) }];
    })
    .filter(({ candidate }) => isRoom(roomOf(candidate, capacity, budget.memoryMargin)))
    .sort((a, b) => a.candidate.orderMs - b.candidate.orderMs);
  const candidates = fits.map(({ candidate }) => candidate);
  let tuning: Tuning = { objective, budget, capacity, candidates, trials: [], minutes: 0 };
  for (;;) {
    const next = nextTrial(tuning);
    if (next.type === 'done') return endOf(next, tuning, fits);
    const known = fits[next.candidate];
    if (known === undefined) throw new Error(`there is no candidate ${next.candidate}`);
    const made = tuning.trials.filter(({ candidate }) => candidate === next.candidate).length;
    const launch = known.launches[made];
    if (launch === undefined) {
      const why = `asked for ${known.name} once more, of which there is no other launch`;
      return endOf({ type: 'done', best: bestOf(tuning)?.index ?? null, why }, tuning, fits);
    }
    const { seconds } = launch;
    const result = resultOf(launch, known.candidate);
    const trial = { candidate: next.candidate, result, runId: '', seconds, isStored: false };
    tuning = { ...tuning, trials: [...tuning.trials, trial], minutes: tuning.minutes + seconds / 60 };
  }
}

function endOf(
  { best, why }: Extract<NextTrial, { type: 'done' }>,
  { trials, minutes }: Tuning,
  fits: readonly Known[],
): Replay {
  const fastest = Math.min(...fits.map(stepOf));
  const chosen = best === null ? undefined : fits[best];
  const launches = trials.flatMap(({ candidate, result }) => {
    const known = fits[candidate];
    return known === undefined
      ? []
      : [{ what: known.name, stepMs: result.kind === 'measured' ? result.medianStepMs : null }];
  });
  return {
    launches,
    minutes,
    chosen: chosen?.name ?? null,
    lossShare: chosen === undefined ? null : stepOf(chosen) / fastest - 1,
    end: why,
  };
}

function ranOn({ archive }: MeasuredLaunch, machine: Machine): boolean {
  return archives[machine].some((name) => archive === `${name}.tar.gz`);
}

/** The median of all launches of a configuration. */
function stepOf({ launches }: Known): number {
  return median(launches.map(({ stepMs }) => stepMs ?? Number.POSITIVE_INFINITY));
}

function nameOf({ mode, ratio, overrides = {} }: MeasuredLaunch): string {
  const keys = Object.entries(overrides).map(([key, value]) => ` ${key.split('.').at(-1)}=${String(value)}`);
  return `${mode}${ratio === null ? '' : ` ${ratio}`}${keys.join('')}`;
}

function caseOf(
  size: string,
  { mode, ratio, overrides = {} }: Pick<MeasuredLaunch, 'mode' | 'ratio' | 'overrides'>,
): Case {
  const model = shapes().find(({ name }) => name === size);
  if (model === undefined) throw new Error(`there is no ${size}`);
  return sampleCase({ mode, model, ratio, steps: 12, deepspeedOverrides: overrides });
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

function resultOf(launch: MeasuredLaunch, { subject }: Candidate): TrialResult {
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
