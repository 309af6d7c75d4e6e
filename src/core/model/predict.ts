import type { Case, System } from '../experiment/case.ts';
import { hostGiBFor } from '../experiment/system.ts';
import { estimateMemory, type MemoryEstimate, type MemoryOptions, type PinnedRounding } from './memory.ts';
import type { StepTime } from './step-time.ts';

/** What a prediction may assume beyond the case and the system. */
export interface PredictOptions extends MemoryOptions {
  /** The run takes its nodes whole (`--exclusive-host`), so all of their host memory. Default false. */
  readonly exclusiveHost?: boolean;
}

/** Memory in GiB, time in milliseconds; null where the system does not say enough. */
export interface Prediction {
  readonly memory: MemoryEstimate;
  /** What the run may use: GPU memory a chip, host memory a node. null where unknown. */
  readonly capacity: { readonly gpuGiB: number | null; readonly hostGiB: number | null };
  /** Memory of unknown size is taken as enough. */
  readonly fits: boolean;
  /** The memory with the least of its capacity left, in proportion; where it does not fit, the one most exceeded. */
  readonly wall: 'gpu' | 'host' | null;
  /** Capacity less need, GiB; negative where it does not fit. */
  readonly headroom: { readonly gpuGiB: number | null; readonly hostGiB: number | null };
  readonly time: StepTime | null;
  readonly pinnedRounding: PinnedRounding;
  readonly notes: readonly string[];
}

/** Predicts memory and step time of a case on a system, from formulas and the system's own rates. */
export function predictCase(subject: Case, system: System, options: PredictOptions = {}): Prediction {
  const memory = estimateMemory(subject, system, options);
  const capacity = {
    gpuGiB: system.accelerator === 'cuda' ? system.gpuGiB : null,
    hostGiB: hostCapacity(subject, system, options),
  };
  const headroom = {
    gpuGiB: capacity.gpuGiB === null ? null : capacity.gpuGiB - memory.gpuGiB,
    hostGiB: capacity.hostGiB === null ? null : capacity.hostGiB - memory.hostGiB,
  };
  const pinnedRounding = options.pinnedRounding ?? 'power-of-two';
  return {
    memory,
    capacity,
    fits: (headroom.gpuGiB ?? 0) >= 0 && (headroom.hostGiB ?? 0) >= 0,
    wall: wallOf(memory, capacity),
    headroom,
    time: null,
    pinnedRounding,
    notes: notesOf(system, pinnedRounding),
  };
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

function wallOf(memory: MemoryEstimate, capacity: Prediction['capacity']): 'gpu' | 'host' | null {
  const share = (need: number, have: number | null): number => (have === null ? 0 : need / have);
  const gpu = share(memory.gpuGiB, capacity.gpuGiB);
  const host = share(memory.hostGiB, capacity.hostGiB);
  if (gpu === 0 && host === 0) return null;
  return gpu >= host ? 'gpu' : 'host';
}

function notesOf(system: System, rounding: PinnedRounding): string[] {
  if (system.accelerator !== 'cuda') return [];
  return [
    rounding === 'power-of-two'
      ? 'pinned host memory rounded up to powers of two, as measured on torch 2.11'
      : 'pinned host memory without rounding, as asked for',
  ];
}
