import type { HardwareRates, System } from '../../experiment/case.ts';

/** Of the H200's machine (bench/README.md): 97 GB/s and 0.225 ns at 16 cores, 805 of 989 TFLOPS. For an order, never for a time. */
const hostGBpsPerCore = 97 / 16;
const mostHostGBpsPerChip = 300;
const adamBytes = 0.225 * 97;
const reachedShare = 805 / 989;

/**
 * The system with a rate for everything, so that its candidates can be put into an order where rates are not known: a
 * CPU rank, or a machine that nobody measured. What is made of these is no prediction, and is never shown as one.
 */
export function withAssumedRates(system: System): System {
  const { rates, cores, chipsPerNode } = system;
  const onCpu = system.accelerator === 'cpu';
  const hostGBps =
    rates.hostGBps ??
    Math.min(onCpu ? mostHostGBpsPerChip : mostHostGBpsPerChip * chipsPerNode, hostGBpsPerCore * cores);
  const assumed: Required<HardwareRates> = {
    achievableTflops: onCpu ? 0.02 * cores : (system.peakTflops ?? 300) * reachedShare,
    hbmGBps: onCpu ? hostGBps : 2000,
    h2dGBps: onCpu ? hostGBps : 25,
    d2hGBps: onCpu ? hostGBps : 25,
    hostGBps,
    adamNsPerParameter: adamBytes / hostGBps,
    intraNodeGBps: onCpu ? hostGBps : 100,
    interNodeGBps: 10,
  };
  const names = Object.keys(assumed) as (keyof HardwareRates)[];
  const entries = names.map((name) => [name, rates[name] ?? assumed[name]] as const);
  return { ...system, rates: Object.fromEntries(entries) as Record<keyof HardwareRates, number | null> };
}
