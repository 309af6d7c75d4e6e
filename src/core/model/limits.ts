/**
 * The least time that a training step can take whose optimizer is partly on the CPU, from what the machine was measured
 * to do. No overlap that software could arrange beats these; how far a step is from them is what software can still win.
 */

/** What one GPU and its share of the host have to do in a step. */
export interface StepDemand {
  /** Floating point operations of the forward pass; the backward pass has twice as many. */
  readonly forwardFlops: number;
  /** Parameters whose optimizer is on the CPU. */
  readonly cpuParameters: number;
  /** Bytes that cross the link, each way, for one of those parameters: 2 for 16-bit gradients and weights. */
  readonly linkBytesPerParameter: number;
}

/** What the machine was measured to do (`bench/overlap_limits.py`, `superoffload systems probe`). */
export interface MachineRates {
  /** Matrix products, operations a second. */
  readonly matmulFlopsPerSecond: number;
  /** CPU Adam with nothing beside it, nanoseconds a parameter. */
  readonly adamNs: number;
  /** CPU Adam while copies cross the link both ways without a pause, nanoseconds a parameter. */
  readonly adamBesideCopiesNs: number;
  /** The link from page-locked memory, one way at a time, GB/s. */
  readonly linkGBps: number;
  /** The link each way, both ways at once and beside CPU Adam, GB/s. */
  readonly linkBesideAdamGBps: number;
}

export type Resource = 'compute' | 'host memory' | 'link';

export interface PhysicalLimit {
  readonly computeMs: number;
  readonly hostMs: number;
  readonly linkMs: number;
  readonly limitMs: number;
  readonly limitedBy: Resource;
}

/**
 * Each resource on its own, used without a pause: max(compute, optimizer on the host, link), as if nothing waited for
 * anything. CPU Adam is bound by host memory, so its measured rate stands for bytes over bandwidth.
 */
export function physicalLimit(demand: StepDemand, rates: MachineRates): PhysicalLimit {
  const computeMs = (3 * demand.forwardFlops * 1e3) / rates.matmulFlopsPerSecond;
  const hostMs = (demand.cpuParameters * rates.adamNs) / 1e6;
  const linkMs = (demand.cpuParameters * demand.linkBytesPerParameter) / (rates.linkGBps * 1e6);
  const all: readonly (readonly [Resource, number])[] = [
    ['compute', computeMs],
    ['host memory', hostMs],
    ['link', linkMs],
  ];
  const [limitedBy, limitMs] = all.reduce((most, one) => (one[1] > most[1] ? one : most));
  return { computeMs, hostMs, linkMs, limitMs, limitedBy };
}

/**
 * CPU Adam over all of its parameters while every gradient comes down and every weight goes up once: slow for as long
 * as the copies take, at its own rate for the rest.
 */
export function adamWithCopiesMs(demand: StepDemand, rates: MachineRates): number {
  const { cpuParameters, linkBytesPerParameter } = demand;
  const copiesMs = (cpuParameters * linkBytesPerParameter) / (rates.linkBesideAdamGBps * 1e6);
  const slowMs = (cpuParameters * rates.adamBesideCopiesNs) / 1e6;
  if (slowMs <= copiesMs) return copiesMs; // the link is the slower of the two
  const duringCopies = (copiesMs / rates.adamBesideCopiesNs) * 1e6;
  return copiesMs + ((cpuParameters - duringCopies) * rates.adamNs) / 1e6;
}

/**
 * The bound while the next forward pass waits for all weights: no gradient is there before the forward pass is done, and
 * then CPU Adam takes what it takes beside the copies; or the GPU's own work, where that is longer.
 */
export function dependentLimitMs(demand: StepDemand, rates: MachineRates): number {
  const forwardMs = (demand.forwardFlops * 1e3) / rates.matmulFlopsPerSecond;
  return Math.max(forwardMs + adamWithCopiesMs(demand, rates), 3 * forwardMs);
}
