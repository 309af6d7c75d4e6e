import type { Case, ModeName, System } from '../experiment/case.ts';
import { predictFit } from '../model/predict.ts';
import type { Needs } from '../search/frontier.ts';
import type { Capacity } from '../search/predicted-edge.ts';
import type { TuneRequest } from './request.ts';

/** What trials have shown of a mode's memory: what they needed over what was predicted; 1 where nothing is known. */
export interface MemoryFactor {
  readonly gpu: number;
  readonly host: number;
}
export type MemoryFactors = (mode: ModeName) => MemoryFactor;

export const noFactors: MemoryFactors = () => ({ gpu: 1, host: 1 });

/** What a case is predicted to need, GiB: of the GPU what PyTorch reserves. */
export function predictedNeeds(subject: Case, system: System, exclusiveHost: boolean): Needs {
  const { gpuReservedGiB, memory } = predictFit(subject, system, { exclusiveHost });
  return { gpuGiB: gpuReservedGiB, hostGiB: memory.hostGiB };
}

/** What the runs of a request may use, before the margin. */
export function capacityOf({ base, exclusiveHost }: TuneRequest, system: System): Capacity {
  return predictFit(base, system, { exclusiveHost }).capacity;
}

/** The share of each memory that is left beyond the margin; negative where it does not fit. */
export interface Room {
  readonly gpu: number;
  readonly host: number;
}

export function roomOf(needs: Needs, { gpuGiB, hostGiB }: Capacity, memoryMargin: number): Room {
  const left = (need: number, have: number | null): number =>
    have === null ? Number.POSITIVE_INFINITY : 1 - memoryMargin - need / have;
  return { gpu: left(needs.gpuGiB, gpuGiB), host: left(needs.hostGiB, hostGiB) };
}

export function isRoom({ gpu, host }: Room): boolean {
  return gpu >= 0 && host >= 0;
}

export function corrected({ gpuGiB, hostGiB }: Needs, { gpu, host }: MemoryFactor): Needs {
  return { gpuGiB: gpuGiB * gpu, hostGiB: hostGiB * host };
}

/** What needs `factor` times its prediction fits where the prediction fits a machine with that much less. */
export function machineFor(system: System, { gpu, host }: MemoryFactor): System {
  const less = (gib: number | null, factor: number): number | null => (gib === null ? null : gib / factor);
  return {
    ...system,
    gpuGiB: less(system.gpuGiB, gpu),
    hostGiB: less(system.hostGiB, host),
    hostGiBPerChip: less(system.hostGiBPerChip, host),
  };
}

/** For example `needs 132.0 GiB of host memory, 119.6 are there with the margin`. */
export function shortageText(needs: Needs, { gpuGiB, hostGiB }: Capacity, memoryMargin: number): string {
  const lack = (what: string, need: number, have: number | null): string[] => {
    const allowed = have === null ? Number.POSITIVE_INFINITY : have * (1 - memoryMargin);
    if (need <= allowed) return [];
    return [`needs ${need.toFixed(1)} GiB of ${what}, ${allowed.toFixed(1)} are there with the margin`];
  };
  return [
    ...lack('GPU memory a chip', needs.gpuGiB, gpuGiB),
    ...lack('host memory', needs.hostGiB, hostGiB),
  ].join('; ');
}
