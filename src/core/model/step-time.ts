import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, HardwareRates, System } from '../experiment/case.ts';
import { launchParts } from './launches.ts';
import { offloadParts } from './offload-time.ts';
import { caseTflops, type Tflops } from './shape.ts';
import { computeParts, gpuAdam, networkParts, type Resource, type TimedWork } from './step-parts.ts';
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
export function predictTime(subject: Case, system: System, options: HostShare = {}): StepTime | null {
  const all = timedParts(subject, withHostShare(subject, system, options));
  if (all.some(isMissed)) return null;
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

/** What of a node's host a run has to itself. */
export interface HostShare {
  /** All of it (`--exclusive-host`), where a rank else has the share of its chip. */
  readonly exclusiveHost?: boolean;
}

function withHostShare({ chips }: Case, system: System, { exclusiveHost = false }: HostShare): System {
  return exclusiveHost ? { ...system, chipsPerNode: Math.min(chips, system.chipsPerNode) } : system;
}

function timedParts(subject: Case, system: System): TimedWork[] {
  const { rates } = system;
  const work = stepWork(subject, system);
  const offload = modes[subject.mode].offloadsOptimizer;
  return [
    ...computeParts(work, rates),
    ...launchParts(subject, work, rates),
    ...networkParts(subject, work, rates),
    ...(offload ? offloadParts(subject, work, system) : [gpuAdam(work.shard, rates)]),
  ];
}

/** Without it there is no step time; the others are left out of one. */
function isMissed({ ms, resource }: TimedWork): boolean {
  return ms === null && resource !== 'network' && resource !== 'gpu-memory';
}

/** What a part of a step is computed from. Either rate of Adam's own is enough; with overlap it goes on beside copies. */
const ratesOf: Readonly<Record<Resource, readonly (keyof HardwareRates)[]>> = {
  compute: ['achievableTflops'],
  launches: ['achievableTflops'],
  'gpu-memory': ['hbmGBps'],
  link: ['d2hGBps', 'h2dGBps'],
  'host-memory': ['hostGBps'],
  adam: ['hostGBps', 'adamNsPerParameter', 'd2hGBps', 'h2dGBps'],
  network: ['intraNodeGBps', 'interNodeGBps'],
};

/** The rates that a system would have to state before {@link predictTime} could say a case's step; empty where it can. */
export function missingRates(subject: Case, system: System): readonly (keyof HardwareRates)[] {
  const missed = timedParts(subject, system).filter(isMissed);
  const names = new Set(missed.flatMap(({ resource }) => ratesOf[resource]));
  return [...names].filter((name) => system.rates[name] === null);
}

function largest(parts: readonly { readonly resource: Resource; readonly ms: number }[]): Resource {
  const sums = new Map<Resource, number>();
  for (const { resource, ms } of parts) sums.set(resource, (sums.get(resource) ?? 0) + ms);
  return [...sums].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}
