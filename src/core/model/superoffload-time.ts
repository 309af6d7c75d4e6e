import type { Case, HardwareRates } from '../experiment/case.ts';
import {
  adamSource,
  bounceSource,
  gradientsDown,
  scaling,
  slower,
  sum,
  timed,
  unpinnedDown,
  unpinnedSource,
  weightsUp,
  type ChipRates,
} from './host-copies.ts';
import { gpuAdam, transferMs, type TimedWork } from './step-parts.ts';
import type { StepWork } from './step-work.ts';

/**
 * SuperOffload 0.19.8. The worker copies a subgroup's gradients and steps on it while the backward pass goes on with
 * the next; what is left when that ends is at least the last subgroup. With clipping nothing starts before the norm is
 * known. Its results are copied onto themselves, gradients are scaled after their use, and the weights go back at the
 * end (runtime/superoffload, 0.19.8).
 */
export function superOffloadTime(
  subject: Case,
  work: StepWork,
  chip: ChipRates,
  rates: HardwareRates,
): TimedWork[] {
  const { shard, cpuElements, accumulation } = work;
  const bounceOf = (microBatches: number): number | null =>
    sum(
      gradientsDown(shard, microBatches, 2, chip),
      transferMs(2 * shard, chip.upGBps),
      transferMs(4 * cpuElements, slower(chip.downGBps, unpinnedDown)),
    );
  return [
    timed('gradients to the host', 'link', bounceOf(accumulation), `${bounceSource}; that ${unpinnedSource}`),
    timed(
      'waiting for the worker',
      'adam',
      waiting(subject, work, chip, { bounceMs: bounceOf(1), rates }),
      `8 bytes of copy, then Adam (${adamSource}), beside the backward pass`,
    ),
    timed(
      'results copied onto themselves',
      'host-memory',
      transferMs(8 * cpuElements, chip.hostGBps),
      '8 bytes a parameter over rates.hostGBps',
    ),
    scaling(cpuElements, chip),
    weightsUp(cpuElements, chip),
    gpuAdam(shard - cpuElements, rates),
  ];
}

function waiting(
  { gradientClipping }: Case,
  work: StepWork,
  chip: ChipRates,
  { bounceMs, rates }: { readonly bounceMs: number | null; readonly rates: HardwareRates },
): number | null {
  const stepping = (elements: number): number | null =>
    sum(transferMs(8 * elements, chip.hostGBps), chip.adamMs(elements));
  const all = stepping(work.cpuElements);
  if (gradientClipping > 0 || all === null) return all;
  // Adam begins in the last micro-batch: only that one's passes and copies go on beside it.
  const passFlops = (work.backwardFlops + work.recomputeFlops) / work.accumulation;
  const backward = passFlops / (rates.achievableTflops ?? Infinity) / 1e9;
  const beside = backward + (bounceMs ?? 0);
  return Math.max(stepping(work.lastSubgroup) ?? 0, all - beside);
}
