import { namedSystem, shapes } from '../../../bench/predict-measured.ts';
import { tuneRequest } from '../../../bench/tune-machine.ts';
import type { Case, System } from '../../../src/core/experiment/case.ts';
import type { TuneRequest } from '../../../src/core/tune/request.ts';
import type { Candidate, MeasuredResult, Trial, TrialResult, Tuning } from '../../../src/core/tune/tuning.ts';
import { sampleCase } from '../sample-case.ts';

export const h200 = namedSystem('h200');

/** Two ranks on the CPU, as functional runs have them. */
export const cpu: System = {
  ...namedSystem('cpu'),
  hostGiB: 24,
  hostGiBPerChip: 12,
  chipsPerNode: 2,
  cores: 2,
};

const models = new Map(shapes().map((shape) => [shape.name, shape]));

export function modelNamed(name: string): Case['model'] {
  const model = models.get(name);
  if (model === undefined) throw new Error(`there is no ${name}`);
  return model;
}

/** A request for one size, global batch 8. */
export function requestFor(
  size: string,
  change: Partial<TuneRequest> = {},
  base: Partial<Case> = {},
): TuneRequest {
  return tuneRequest(sampleCase({ model: modelNamed(size), steps: 12, ...base }), change);
}

/** A candidate by hand, where the prediction is not what is tested. */
export function candidate(change: Partial<Candidate>, subject: Partial<Case> = {}): Candidate {
  return {
    subject: sampleCase(subject),
    bindCores: false,
    predictedStepMs: change.orderMs ?? 1000,
    orderMs: 1000,
    launchSeconds: 30,
    gpuGiB: 50,
    hostGiB: 50,
    why: ['as it comes'],
    ...change,
  };
}

export function tuningOf(candidates: readonly Candidate[], change: Partial<Tuning> = {}): Tuning {
  return {
    objective: 'throughput',
    budget: { maxTrials: 8, maxMinutes: 8, memoryMargin: 0.05 },
    capacity: { gpuGiB: 140, hostGiB: 125 },
    candidates,
    trials: [],
    minutes: 0,
    ...change,
  };
}

export function measured(index: number, stepMs: number, change: Partial<MeasuredResult> = {}): Trial {
  const result: TrialResult = {
    kind: 'measured',
    medianStepMs: stepMs,
    lowStepMs: stepMs * 0.99,
    highStepMs: stepMs * 1.01,
    tflopsPerGpu: 100,
    gpuGiB: 50,
    hostGiB: 50,
    isWhole: true,
    ...change,
  };
  return trialOf(index, result);
}

export function trialOf(index: number, result: TrialResult, change: Partial<Trial> = {}): Trial {
  return { candidate: index, result, runId: `run-${index}`, seconds: 30, isStored: false, ...change };
}
