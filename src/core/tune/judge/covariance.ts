import { canonicalJson } from '../../experiment/case-id.ts';
import { keepsAllOnGpu } from '../modes-to-tune.ts';
import type { Candidate } from '../tuning.ts';

/**
 * How much two candidates' errors of prediction have in common: variances of the logarithm of measured over predicted
 * step time. Together about 0.24 between modes (bench/predict.md: measured over predicted was 0.86 to 1.36 on one GPU, 1.8 in Megatron with fp16), a few
 * percent within one.
 */
const variances = {
  /** The machine: shared by all. */
  machine: 0.1 ** 2,
  /** Modes that keep all on the GPU are one another's like; those that offload share the link and the host. */
  gpu: 0.14 ** 2,
  offload: 0.1 ** 2,
  /** Rates of the host that nobody stated: shared by all that need them. */
  unknownRates: 0.4 ** 2,
  gpuMode: 0.16 ** 2,
  offloadMode: 0.2 ** 2,
  /** Micro-batch and recomputation. */
  way: 0.05 ** 2,
  ratio: 0.12 ** 2,
  /** From ratio 1, where modes were measured, to 0: on one size they were met within 3% at 0.05 and 0.25, elsewhere one was below 0.5, prism at 0.2, 14% longer. */
  slope: 0.3 ** 2,
  /** Where the host's rates are assumed, nobody knows what the optimizer's place is worth. */
  ratioOfUnknown: 0.25 ** 2,
  settings: 0.03 ** 2,
  /** What is a configuration's own, and that another launch would differ. */
  own: 0.015 ** 2,
} as const;

/** Ratios farther apart than this tell little of one another. */
const ratioDistance = 0.3;

export function covariance(a: Candidate, b: Candidate): number {
  const onGpu = keepsAllOnGpu(a.subject.mode);
  if (onGpu !== keepsAllOnGpu(b.subject.mode)) return variances.machine;
  const isAssumed = a.predictedStepMs === null && b.predictedStepMs === null;
  const family = (onGpu ? variances.gpu : variances.offload) + (isAssumed ? variances.unknownRates : 0);
  return variances.machine + family + (a.subject.mode === b.subject.mode ? withinMode(a, b, isAssumed) : 0);
}

/** Of the same configuration, launched once more, what is left after one launch is its own. */
export const launchVariance = variances.own;

function withinMode(a: Candidate, b: Candidate, isAssumed: boolean): number {
  const [onGpu, onGpuOther] = [1 - (a.subject.ratio ?? 1), 1 - (b.subject.ratio ?? 1)];
  const distance = (onGpu - onGpuOther) / ratioDistance;
  return (
    (keepsAllOnGpu(a.subject.mode) ? variances.gpuMode : variances.offloadMode) +
    (isSameWay(a, b) ? variances.way : 0) +
    (isAssumed ? variances.ratioOfUnknown : variances.ratio) * Math.exp(-(distance ** 2)) +
    variances.slope * onGpu * onGpuOther +
    (isSameSettings(a, b) ? variances.settings : 0)
  );
}

function isSameWay({ subject: a }: Candidate, { subject: b }: Candidate): boolean {
  return (
    a.microBatch === b.microBatch &&
    a.activationCheckpointing === b.activationCheckpointing &&
    a.activationOffload === b.activationOffload
  );
}

function isSameSettings(a: Candidate, b: Candidate): boolean {
  return (
    a.bindCores === b.bindCores &&
    canonicalJson(a.subject.deepspeedOverrides) === canonicalJson(b.subject.deepspeedOverrides)
  );
}
