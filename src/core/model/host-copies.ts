import type { System } from '../experiment/case.ts';
import { transferMs, type Resource, type TimedWork } from './step-parts.ts';

/** What the optimizers on the CPU have in common: one chip's rates, and copies between it and its host. */

/**
 * Copies from and to host memory that is not pinned, as a share of the pinned rate of 55 GB/s: what the traced step of
 * prism as published reached (8.48 GB down at 13.7 GB/s, 4.24 GB up at 8.35; bench/measured/timelines-2b.tar.gz; on another
 * machine of the kind 13.6 and 6.45). Nobody has measured it over C2C; the same share is taken there.
 */
export const unpinnedDown = 13.7 / 55;
export const unpinnedUp = 8.35 / 55;
const unpinnedSource = 'not pinned: 8.35 GB/s up where pinned memory has 55, in a traced step on an H200';

/** One chip's rates: of what a node's chips share, its share. */
export interface ChipRates {
  readonly downGBps: number | null;
  readonly upGBps: number | null;
  readonly hostGBps: number | null;
  /** CPU Adam, milliseconds for a number of elements. */
  readonly adamMs: (elements: number) => number | null;
}

export function chipRates({ rates, chipsPerNode }: Pick<System, 'rates' | 'chipsPerNode'>): ChipRates {
  const hostGBps = rates.hostGBps === null ? null : rates.hostGBps / chipsPerNode;
  const { adamNsPerParameter } = rates;
  return {
    downGBps: rates.d2hGBps,
    upGBps: rates.h2dGBps,
    hostGBps,
    adamMs: (elements) =>
      adamNsPerParameter === null
        ? transferMs(28 * elements, hostGBps)
        : (adamNsPerParameter * chipsPerNode * elements) / 1e6,
  };
}

export function timed(what: string, resource: Resource, ms: number | null, source: string): TimedWork {
  return { what, resource, ms, source };
}

export function sum(...ms: readonly (number | null)[]): number | null {
  return ms.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
}

/**
 * The overlay's Adam beside DeepSpeed's on the same machine: 0.195 ns a parameter (bench/overlap_limits.py) and 0.225. It
 * moves the same 28 bytes.
 */
export const ownAdam = 0.195 / 0.225;

export const adamSource = 'rates.adamNsPerParameter, else 28 bytes a parameter over rates.hostGBps';

/** Every micro-batch but the last: its sum so far comes up and goes down again in 16 bit. */
export function gradientsDown(
  shard: number,
  accumulation: number,
  lastBytes: number,
  chip: ChipRates,
): number | null {
  const rounds = accumulation - 1;
  return sum(
    transferMs((2 * rounds + lastBytes) * shard, chip.downGBps),
    transferMs(2 * rounds * shard, chip.upGBps),
  );
}

export const bounceSource =
  'runtime/zero/stage3.py, partition_grads: 16 bit to the pinned buffer, back to the GPU, cast, fp32 to the host';

/** ZeRO-3 multiplies every gradient by 1/scale, be it 1. */
export function scaling(
  elements: number,
  { hostGBps }: ChipRates,
  where = 'runtime/zero/stage3.py, unscale_and_clip_grads',
): TimedWork {
  return timed(
    'gradients scaled',
    'host-memory',
    transferMs(8 * elements, hostGBps),
    `${where}: 8 bytes a parameter over rates.hostGBps`,
  );
}

/**
 * Of rates.hostGBps, what the cast of weights into memory that is new every time reaches: 6 bytes a parameter, page faults
 * and giving the memory back took 444 ms of the traced step, 2.12e9 parameters, 29 GB/s.
 */
const castReaches = 29 / 97;

/** A pass over host memory that puts a third of its bytes into new memory, as the cast of weights does. */
export function intoNewMemoryMs(bytes: number, hostGBps: number | null): number | null {
  return transferMs(bytes / castReaches, hostGBps);
}

/** ZeRO-3's own way back: `gpu_bf16.copy_(cpu_fp32)` casts on the CPU and sends what it cast, unpinned. */
export function weightsUp(elements: number, { upGBps, hostGBps }: ChipRates): TimedWork[] {
  return [
    timed(
      'weights cast to 16 bit',
      'host-memory',
      intoNewMemoryMs(6 * elements, hostGBps),
      '6 bytes a parameter at 30% of rates.hostGBps: into new memory every time, as in a traced step on an H200',
    ),
    timed(
      'weights to the GPU',
      'link',
      transferMs(2 * elements, slower(upGBps, unpinnedUp)),
      `16 bit over the link, ${unpinnedSource}`,
    ),
  ];
}

export function slower(gbps: number | null, share: number): number | null {
  return gbps === null ? null : gbps * share;
}
