import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { hostGiBFor } from '../experiment/system.ts';
import { estimateMemory, softwareOf, type MemoryEstimate, type MemoryOptions } from './memory.ts';
import { parameterCount } from './shape.ts';
import type { PinnedRounding, SoftwareName } from './software.ts';
import { missingRates, predictTime, type StepTime } from './step-time.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';
import { unreadSettings } from './unread-settings.ts';

/** What a prediction may assume beyond the case and the system. */
export interface PredictOptions extends MemoryOptions {
  /** The run takes its nodes whole (`--exclusive-host`), so all of their host memory. Default false. */
  readonly exclusiveHost?: boolean;
}

/** Memory in GiB, time in milliseconds; null where the system does not say enough. */
export interface Prediction extends FitPrediction {
  readonly time: StepTime | null;
  readonly notes: readonly string[];
}

/** The memory part of a prediction, which costs a tenth of the whole. */
export interface FitPrediction {
  readonly memory: MemoryEstimate;
  /** What PyTorch takes from the driver for `memory.gpuGiB`, GiB a chip: this must fit. */
  readonly gpuReservedGiB: number;
  /** What the run may use: GPU memory a chip, host memory a node. null where unknown. */
  readonly capacity: { readonly gpuGiB: number | null; readonly hostGiB: number | null };
  /** Memory of unknown size is taken as enough. */
  readonly fits: boolean;
  /** The memory with the least of its capacity left, in proportion; where it does not fit, the one most exceeded. */
  readonly wall: 'gpu' | 'host' | null;
  /** Capacity less need (reserved, on the GPU), GiB; negative where it does not fit. */
  readonly headroom: { readonly gpuGiB: number | null; readonly hostGiB: number | null };
  readonly software: SoftwareName;
  readonly pinnedRounding: PinnedRounding;
}

/**
 * What PyTorch's allocator has reserved when it has given out 1: the median of five recorded runs on H200 GPUs (1.030,
 * 1.038, 1.077, 1.079, 1.145; test/fixtures/logs). It gives some of it back before it fails.
 */
const reservedShare = 1.077;

/**
 * With all of the optimizer on the GPU: 1.111, 1.111, 1.115 (ddp at 2B, 3B, 5B on an H200). Of the paper's software nobody
 * knows it.
 */
const reservedShareOnGpu = 1.115;

/** ZeRO-2 reserves more than ddp: 3.4, 3.4 and 3.0 bytes a parameter (2B, 3B, 5B); why is not known. */
const reservedByStage2 = 3.2;

/**
 * GiB. The overlap optimizer gives out nothing after its start but activations and gradients: 1.4 to 2.5 more in 21 runs of
 * 2B to 7B. With one sequence of 1024 a step gradients are made faster than the link takes them, and it has reserved for
 * those too (6.6 to 8.2 GiB at 12.7e9 to 16.1e9): that is room that was there, not a need. Where it is not, PyTorch waits
 * for the copies and frees what they read before it fails (c10/cuda/CUDACachingAllocator.cpp, release_cached_blocks).
 */
export const reservedByOverlapGiB = 2.4;

/** What PyTorch takes from the driver for what it gives out, GiB. */
function reservedFor(subject: Case, gpuGiB: number, software: SoftwareName): number {
  if (usesOverlap(subject)) return gpuGiB + reservedByOverlapGiB;
  const { offloadsOptimizer, zeroStage } = modes[subject.mode];
  if (offloadsOptimizer || software !== 'measured') return gpuGiB * reservedShare;
  const shard = parameterCount(subject.model, subject.sequenceLength) / subject.chips;
  return gpuGiB * reservedShareOnGpu + (zeroStage === 2 ? (reservedByStage2 * shard) / 2 ** 30 : 0);
}

/** Predicts memory and step time of a case on a system, from formulas and the system's own rates. Pure and cheap. */
export function predictCase(subject: Case, system: System, options: PredictOptions = {}): Prediction {
  const fit = predictFit(subject, system, options);
  const time = predictTime(subject, system, options);
  return { ...fit, time, notes: notesOf(subject, fit, time, system) };
}

/** Predicts whether a case fits a system. */
export function predictFit(subject: Case, system: System, options: PredictOptions = {}): FitPrediction {
  const memory = estimateMemory(subject, system, options);
  const gpuReservedGiB = reservedFor(subject, memory.gpuGiB, options.software ?? 'measured');
  const capacity = {
    gpuGiB: system.accelerator === 'cuda' ? system.gpuGiB : null,
    hostGiB: hostCapacity(subject, system, options),
  };
  const headroom = {
    gpuGiB: capacity.gpuGiB === null ? null : capacity.gpuGiB - gpuReservedGiB,
    hostGiB: capacity.hostGiB === null ? null : capacity.hostGiB - memory.hostGiB,
  };
  return {
    memory,
    gpuReservedGiB,
    capacity,
    fits: (headroom.gpuGiB ?? 0) >= 0 && (headroom.hostGiB ?? 0) >= 0,
    wall: wallOf(gpuReservedGiB, memory.hostGiB, capacity),
    headroom,
    software: options.software ?? 'measured',
    pinnedRounding: softwareOf(options).pinnedRounding,
  };
}

/**
 * Why a case cannot run on a system, for example `needs about 60.5 GiB of host memory, 31.0 are there`. What PyTorch
 * reserves beyond what it gives out is not held against it: it gives some of it back before it fails.
 * @returns null where it may fit, and where the memory is not known.
 */
export function lackingMemory(subject: Case, system: System, options: PredictOptions = {}): string | null {
  const { memory, capacity } = predictFit(subject, system, options);
  const isShare = capacity.hostGiB !== null && capacity.hostGiB < (system.hostGiB ?? 0);
  const lacking = [
    shortage('GPU memory a chip', memory.gpuGiB, capacity.gpuGiB, 'are there'),
    shortage('host memory', memory.hostGiB, capacity.hostGiB, isShare ? "are its chips' share" : 'are there'),
  ].filter((text) => text !== null);
  return lacking.length === 0 ? null : lacking.join('; ');
}

function shortage(what: string, need: number, have: number | null, are: string): string | null {
  if (have === null || need <= have) return null;
  return `needs about ${need.toFixed(1)} GiB of ${what}, ${have.toFixed(1)} ${are}`;
}

/** A CPU rank is no chip with a share of its own: any number of them has the whole host. */
function hostCapacity(
  subject: Case,
  system: System,
  { exclusiveHost = false }: PredictOptions,
): number | null {
  const ranksOnNode = Math.min(subject.chips, system.chipsPerNode);
  return hostGiBFor(system, ranksOnNode, exclusiveHost || system.accelerator === 'cpu');
}

function wallOf(gpuGiB: number, hostGiB: number, capacity: Prediction['capacity']): 'gpu' | 'host' | null {
  const share = (need: number, have: number | null): number => (have === null ? 0 : need / have);
  const gpu = share(gpuGiB, capacity.gpuGiB);
  const host = share(hostGiB, capacity.hostGiB);
  if (gpu === 0 && host === 0) return null;
  return gpu >= host ? 'gpu' : 'host';
}

function notesOf(
  subject: Case,
  { pinnedRounding, software }: FitPrediction,
  time: StepTime | null,
  system: System,
): string[] {
  const { accelerator, name, link } = system;
  if (accelerator !== 'cuda') return ['no step time: the speed of CPU ranks is not predicted'];
  const overlaps = usesOverlap(subject);
  const { hostMemory, pinMemory } = superoffloadSettings(subject);
  const isExact = overlaps || hostMemory === 'registered';
  const rounding =
    pinnedRounding === 'power-of-two'
      ? 'pinned host memory rounded up to powers of two, as PyTorch does (measured on 2.11)'
      : 'pinned host memory taken as it is asked for, without the rounding that PyTorch does';
  const { zeroStage, offloadsOptimizer } = modes[subject.mode];
  const isPageable = overlaps ? !pinMemory : zeroStage === 3 && offloadsOptimizer;
  return [
    ...(isExact ? [] : [rounding]),
    ...(software === 'paper'
      ? ['memory as the published figures imply it, not as DeepSpeed 0.19.8 takes it']
      : []),
    ...(time === null ? [noStepTime(name, missingRates(subject, system))] : []),
    ...(time !== null && link === 'c2c' && isPageable
      ? [
          'memory that is not pinned is copied at the same share of the link as over PCIe: not measured over C2C',
        ]
      : []),
    ...(time === null
      ? []
      : unreadSettings(subject).map(
          (setting) => `the step time does not count ${setting}: it is what a step takes without`,
        )),
    ...(time?.leftOut.map((what) => `left out of the step time, the rate is not known: ${what}`) ?? []),
  ];
}

/** Why a system's steps cannot be predicted, and what would change that. */
export function noStepTime(system: string, missing: readonly string[], of = ''): string {
  const rates = missing.map((rate) => `rates.${rate}`).join(', ');
  return `no step time${of}: ${system} does not state ${rates}; \`superoffload systems probe\` measures them on such a machine`;
}
