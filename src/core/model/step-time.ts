import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { launchParts } from './launches.ts';
import { offloadParts } from './offload-time.ts';
import { caseTflops, type Tflops } from './shape.ts';
import { computeParts, gpuAdam, networkParts, type Resource } from './step-parts.ts';
import { stepWork } from './step-work.ts';

/** Expected time of one optimizer step and what it is made of. */
export interface StepTime {
  readonly stepMs: number;
  readonly tflops: Tflops;
  /** Serial parts; they sum to the step. */
  readonly parts: readonly {
    readonly what: string;
    readonly resource: Resource;
    readonly ms: number;
    readonly source: string;
  }[];
  /** What most of the step is spent on. */
  readonly bound: Resource;
  /** Parts that the system's rates do not cover; the step takes longer by them. */
  readonly leftOut: readonly string[];
}

/**
 * A roofline of one step at the shares of the system's rates that steps on an H200 reached (step-parts.ts), with what
 * Python and the driver take for layers and gradients (launches.ts). Within the GPU, products and memory traffic follow one
 * another, and so do the stages of a step; what overlaps is said at its part. bench/predict.md has the error against every
 * measured run.
 * @returns null where the system does not say how fast it computes, or how fast its link and host are and the mode
 * needs them.
 */
export function predictTime(subject: Case, system: System): StepTime | null {
  const { rates } = system;
  if (rates.achievableTflops === null) return null;
  const work = stepWork(subject, system);
  const offload = modes[subject.mode].offloadsOptimizer;
  const all = [
    ...computeParts(work, rates),
    ...launchParts(subject, work, rates),
    ...networkParts(subject, work, rates),
    ...(offload ? offloadParts(subject, work, system) : [gpuAdam(work.shard, rates)]),
  ];
  if (all.some(({ ms, resource }) => ms === null && resource !== 'network' && resource !== 'gpu-memory')) {
    return null;
  }
  const parts = all.flatMap((part) => (part.ms === null || part.ms === 0 ? [] : [{ ...part, ms: part.ms }]));
  const stepMs = parts.reduce((sum, { ms }) => sum + ms, 0);
  return {
    stepMs,
    tflops: caseTflops(subject, stepMs),
    parts,
    bound: largest(parts),
    leftOut: all.filter(({ ms }) => ms === null).map(({ what }) => what),
  };
}

function largest(parts: readonly { readonly resource: Resource; readonly ms: number }[]): Resource {
  const sums = new Map<Resource, number>();
  for (const { resource, ms } of parts) sums.set(resource, (sums.get(resource) ?? 0) + ms);
  return [...sums].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}
