import { parameterCount } from '../model/shape.ts';
import { isRoom, roomOf } from './needs.ts';
import { measuredOf, type Measured } from './measured.ts';
import type { Tuning } from './tuning.ts';

/**
 * The best of what was measured whole: by throughput the fastest, by size the largest model and of it the fastest. One
 * that took more memory than the margin allows is best only where nothing else ran.
 */
export function bestOf(tuning: Tuning): Measured | null {
  const whole = measuredOf(tuning).filter(({ result }) => result.isWhole);
  const withMargin = whole.filter((one) => leavesMargin(one, tuning));
  const [first, ...others] = withMargin.length > 0 ? withMargin : whole;
  if (first === undefined) return null;
  return others.reduce((best, one) => (isBetter(one, best, tuning) ? one : best), first);
}

/** By the measured peaks; what nobody measured is taken as predicted. */
export function leavesMargin({ candidate, result }: Measured, { capacity, budget }: Tuning): boolean {
  const needs = { gpuGiB: result.gpuGiB ?? candidate.gpuGiB, hostGiB: result.hostGiB ?? candidate.hostGiB };
  return isRoom(roomOf(needs, capacity, budget.memoryMargin));
}

function isBetter(a: Measured, b: Measured, { objective }: Tuning): boolean {
  const more = objective === 'size' ? parametersOf(a) - parametersOf(b) : 0;
  return more > 0 || (more === 0 && a.result.medianStepMs < b.result.medianStepMs);
}

export function parametersOf({ candidate: { subject } }: Pick<Measured, 'candidate'>): number {
  return parameterCount(subject.model, subject.sequenceLength);
}
