import { dependentLimitMs, physicalLimit, type MachineRates, type StepDemand } from '../../model/limits.ts';
import type { KnownRates } from './rates.ts';
import type { Bounds } from './timeline-data.ts';

/** What a step asks of its machine. */
export interface MachineDemand {
  /** Of one rank. */
  readonly step: StepDemand;
  /** They share the host's memory: each steps its own parameters at its share of the rate. */
  readonly ranksPerNode: number;
}

/** The bounds of a step; of several measured numbers of threads the best counts, as no software beats it. */
export function boundsOf({ step, ranksPerNode }: MachineDemand, { rates }: KnownRates): Bounds | null {
  const all = rates.map((rate) => boundsAt(step, shared(rate, ranksPerNode)));
  const [first, ...others] = all;
  if (first === undefined) return null;
  return others.reduce((best, each) => (each.dependentMs < best.dependentMs ? each : best), first);
}

function boundsAt(step: StepDemand, rates: MachineRates): Bounds {
  return { ...physicalLimit(step, rates), dependentMs: dependentLimitMs(step, rates) };
}

/** Host memory is the node's; products and the link are each chip's own. */
function shared(rates: MachineRates, ranks: number): MachineRates {
  return { ...rates, adamNs: rates.adamNs * ranks, adamBesideCopiesNs: rates.adamBesideCopiesNs * ranks };
}
