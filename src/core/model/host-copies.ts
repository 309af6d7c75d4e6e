import type { System } from '../experiment/case.ts';
import { transferMs, type Resource, type TimedWork } from './step-parts.ts';

/** What the optimizers on the CPU have in common: one chip's rates, and copies between it and its host. */

/**
 * Copies from and to host memory that is not pinned, as a share of the pinned rate: 18 and 10 of 55 GB/s, measured on
 * an H200 over PCIe. Nobody has measured it over C2C; the same share is taken there.
 */
export const unpinnedDown = 18 / 55;
export const unpinnedUp = 10 / 55;
export const unpinnedSource =
  'not pinned, and cast on the CPU on its way up: 18 GB/s down and 10 up, measured beside 55 pinned on an H200';

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

/** ZeRO-3 multiplies every gradient by 1/scale, be it 1 (runtime/zero/stage3.py, unscale_and_clip_grads). */
export function scaling(elements: number, { hostGBps }: ChipRates): TimedWork {
  return timed(
    'gradients scaled',
    'host-memory',
    transferMs(8 * elements, hostGBps),
    '8 bytes a parameter over rates.hostGBps',
  );
}

export function weightsUp(elements: number, { upGBps }: ChipRates): TimedWork {
  return timed(
    'weights to the GPU',
    'link',
    transferMs(4 * elements, slower(upGBps, unpinnedUp)),
    unpinnedSource,
  );
}

export function slower(gbps: number | null, share: number): number | null {
  return gbps === null ? null : gbps * share;
}
