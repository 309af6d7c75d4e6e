import type { Case, System } from '../src/core/experiment/case.ts';
import { canonicalJson } from '../src/core/experiment/case-id.ts';
import { predictDurationMs } from '../src/core/model/duration.ts';
import { predictTime } from '../src/core/model/step-time.ts';
import { createUniform } from '../src/core/stats/pseudo-random.ts';
import { withAssumedRates } from '../src/core/tune/propose/assumed-rates.ts';
import { capacityOf, predictedNeeds } from '../src/core/tune/needs.ts';
import { startTuning, withTrial } from '../src/core/tune/search/search-state.ts';
import { nextTrial } from '../src/core/tune/search/next-trial.ts';
import type { TuneRequest } from '../src/core/tune/request.ts';
import type { Candidate, NextTrial, Trial, TrialResult, Tuning } from '../src/core/tune/tuning.ts';

/**
 * A machine that is not as predicted, to tune on: our own prediction disturbed by what the search does not know. All of
 * it follows from the seed.
 */
export interface SimulatedMachine {
  /** Without the noise of a launch, milliseconds. */
  readonly trueMs: (candidate: Candidate) => number;
  /** What a launch takes of each memory, GiB. */
  readonly trueNeeds: (candidate: Candidate) => { readonly gpuGiB: number; readonly hostGiB: number };
  readonly launch: (candidate: Candidate, abandonAboveMs: number | null) => Launch;
}
export interface Launch {
  readonly result: TrialResult;
  readonly seconds: number;
}

/** How far the truth is from the prediction; standard deviations of logarithms where not said otherwise. */
export interface Disturbance {
  /** Bounds of a mode's own factor, even on the logarithm. */
  readonly mode: readonly [number, number];
  /** Of recomputation, either way; and of each halving of the micro-batch, which only costs: it adds launches. */
  readonly way: number;
  readonly settings: number;
  /** Of the whole range of ratios, 0 to 1. */
  readonly ratio: number;
  readonly own: number;
  readonly launch: number;
  /** Bounds of a mode's memory, even: 0.08 is from 92% to 108% of the prediction. */
  readonly memory: number;
  /** Bounds of each rate that the system does not state, as a factor of the assumed one. */
  readonly unknownRates: number;
}

export const usualDisturbance: Disturbance = {
  mode: [0.7, 1.6],
  way: 0.03,
  settings: 0.04,
  ratio: 0.1,
  own: 0.01,
  launch: 0.015,
  memory: 0.08,
  unknownRates: 2,
};

export function simulateMachine(
  request: TuneRequest,
  system: System,
  seed: number,
  disturbance: Disturbance = usualDisturbance,
): SimulatedMachine {
  const real = disturbedRates(system, seed, disturbance);
  const capacity = capacityOf(request, system);
  const draw = (...words: readonly unknown[]): number => uniformOf(canonicalJson([seed, ...words]));
  const trueMs = (candidate: Candidate): number => {
    const stepMs = predictTime(candidate.subject, real)?.stepMs ?? Number.NaN;
    return stepMs * disturbedBy(candidate, disturbance, draw);
  };
  const trueNeeds = ({ subject }: Candidate): { gpuGiB: number; hostGiB: number } => {
    const needs = predictedNeeds(subject, system, request.exclusiveHost);
    const factor = (what: string): number => {
      const own = 1 + (2 * draw('memory', what, subject.mode) - 1) * disturbance.memory;
      return own * (1 + (2 * draw('own memory', what, subject) - 1) * 0.005);
    };
    return { gpuGiB: needs.gpuGiB * factor('gpu'), hostGiB: needs.hostGiB * factor('host') };
  };
  const launches = new Map<string, number>();
  const launch = (candidate: Candidate, abandonAboveMs: number | null): Launch => {
    const { subject, bindCores } = candidate;
    const what = canonicalJson([subject, bindCores]);
    const before = launches.get(what) ?? 0;
    launches.set(what, before + 1);
    // Another launch of the same has noise of its own.
    const again = before === 0 ? [] : [before];
    const noise = Math.exp(disturbance.launch * normal(draw, 'launch', subject, bindCores, ...again));
    const needs = trueNeeds(candidate);
    const wholeMs =
      (predictDurationMs(candidate.subject, real, candidate.subject.steps) ?? 0) * (0.7 + 0.6 * draw('pace'));
    const over = (need: number, have: number | null): boolean => have !== null && need > have;
    if (over(needs.gpuGiB, capacity.gpuGiB))
      return { result: { kind: 'memory', wall: 'gpu' }, seconds: wholeMs / 2000 };
    if (over(needs.hostGiB, capacity.hostGiB))
      return { result: { kind: 'memory', wall: 'host' }, seconds: wholeMs / 2000 };
    const medianStepMs = trueMs(candidate) * noise;
    const isWhole = abandonAboveMs === null || medianStepMs <= abandonAboveMs;
    return {
      result: {
        kind: 'measured',
        medianStepMs,
        lowStepMs: medianStepMs * (1 - disturbance.launch),
        highStepMs: medianStepMs * (1 + disturbance.launch),
        tflopsPerGpu: 0,
        ...needs,
        isWhole,
      },
      seconds: wholeMs / 1000,
    };
  };
  return { trueMs, trueNeeds, launch };
}

/** How a search went: its end, and the state that it ended in. */
export interface Tuned {
  readonly tuning: Tuning;
  readonly end: Extract<NextTrial, { type: 'done' }>;
}

/** Tunes to the end on whatever launches. */
export function tuneOn(
  launch: SimulatedMachine['launch'],
  request: TuneRequest,
  system: System,
  start: Tuning = startTuning(request, system).tuning,
): Tuned {
  let tuning = start;
  for (;;) {
    const next = nextTrial(tuning);
    if (next.type === 'done') return { tuning, end: next };
    const candidate = tuning.candidates[next.candidate];
    if (candidate === undefined) throw new Error(`there is no candidate ${next.candidate}`);
    const { result, seconds } = launch(candidate, next.abandonAboveMs);
    const trial: Trial = {
      candidate: next.candidate,
      result,
      runId: `run ${tuning.trials.length}`,
      seconds,
      isStored: false,
    };
    tuning = withTrial(tuning, trial, { request, system, minutes: tuning.minutes + seconds / 60 });
  }
}

type Draw = (...words: readonly unknown[]) => number;

function disturbedBy({ subject, bindCores }: Candidate, by: Disturbance, draw: Draw): number {
  const { mode, activationCheckpointing, activationOffload, deepspeedOverrides } = subject;
  const [least, most] = by.mode.map(Math.log);
  const ofMode = (least ?? 0) + draw('mode', mode) * ((most ?? 0) - (least ?? 0));
  const recomputation = normal(draw, 'way', mode, activationCheckpointing, activationOffload);
  const halvings = Math.log2(subject.gradientAccumulation) * Math.abs(normal(draw, 'micro-batch', mode));
  const way = recomputation + halvings;
  const settings = normal(draw, 'settings', mode, deepspeedOverrides, bindCores);
  const slope = normal(draw, 'ratio', mode) * ((subject.ratio ?? 1) - 0.5);
  const own = normal(draw, 'own', subject, bindCores);
  return Math.exp(ofMode + by.way * way + by.settings * settings + by.ratio * slope + by.own * own);
}

/** Box and Muller 1958. */
function normal(draw: Draw, ...words: readonly unknown[]): number {
  const [a, b] = [Math.max(1e-12, draw('a', ...words)), draw('b', ...words)];
  return Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
}

/** A number in [0, 1) of a text: two of FNV-1a's rounds, then mulberry32. */
function uniformOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  const next = createUniform(hash);
  next();
  return next();
}

function disturbedRates(system: System, seed: number, { unknownRates }: Disturbance): System {
  const assumed = withAssumedRates(system).rates;
  const entries = Object.entries(assumed).map(([name, value]) => {
    const stated = system.rates[name as keyof System['rates']];
    if (stated !== null || value === null) return [name, stated] as const;
    const factor = unknownRates ** (2 * uniformOf(canonicalJson([seed, 'rate', name])) - 1);
    return [name, value * factor] as const;
  });
  return { ...system, rates: Object.fromEntries(entries) as unknown as System['rates'] };
}

/** A request as the verb makes it: everything open but what is given. */
export function tuneRequest(base: Case, change: Partial<TuneRequest> = {}): TuneRequest {
  return {
    objective: 'throughput',
    budget: { maxTrials: 8, maxMinutes: 8, memoryMargin: 0.05 },
    base,
    models: [base.model],
    modes: null,
    fixed: {
      microBatch: null,
      activationCheckpointing: null,
      activationOffload: null,
      ratio: null,
      bindCores: null,
    },
    exclusiveHost: false,
    numaNodes: null,
    hasOverlay: true,
    ...change,
  };
}
