import { parameterCount } from '../../model/shape.ts';
import { keepsAllOnGpu, offloadsNothing } from '../modes-to-tune.ts';
import { isRoom, roomOf } from '../needs.ts';
import { pooledOf, type Measured } from '../measured.ts';
import type { Tuning } from '../tuning.ts';

/** A gain that is worth another launch, and worth an offload where none is needed: less is what launches differ by. */
export const worthwhile = 0.02;

/**
 * The best of what was measured whole: by throughput the fastest, by size the largest model and of it the fastest. Of
 * two that differ by less than 2% the one that offloads nothing, and of those one that needs no patches. One that took more memory than the margin allows is best
 * only where nothing else ran.
 */
export function bestOf(tuning: Tuning): Measured | null {
  const whole = pooledOf(tuning).filter(({ result }) => result.isWhole);
  const withMargin = whole.filter((one) => leavesMargin(one, tuning));
  const [first, ...others] = withMargin.length > 0 ? withMargin : whole;
  if (first === undefined) return null;
  const best = others.reduce((best, one) => (isBetter(one, best, tuning) ? one : best), first);
  return tuning.objective === 'size' ? best : (asGoodOnGpu(withMargin, best) ?? best);
}

/**
 * What the others are held against: the best, where it leaves the margin. What takes more is chosen only where nothing
 * else runs: it is no aim for the others.
 */
export function aimOf(tuning: Tuning): Measured | null {
  const best = bestOf(tuning);
  return best !== null && leavesMargin(best, tuning) ? best : null;
}

function asGoodOnGpu(measured: readonly Measured[], best: Measured): Measured | undefined {
  const mostMs = best.result.medianStepMs * (1 + worthwhile);
  return measured
    .filter(({ candidate, result }) => offloadsNothing(candidate.subject) && result.medianStepMs <= mostMs)
    .sort((a, b) => isPatched(a) - isPatched(b) || a.result.medianStepMs - b.result.medianStepMs)[0];
}

/** Of those that offload nothing, one that plain DeepSpeed can run comes first. */
function isPatched({ candidate: { subject } }: Measured): number {
  return keepsAllOnGpu(subject.mode) ? 0 : 1;
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
