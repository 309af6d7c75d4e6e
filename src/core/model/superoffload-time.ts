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
  weightsUp,
  type ChipRates,
} from './host-copies.ts';
import { passTimes, tensorsPerLayer } from './launches.ts';
import { settingOf } from './memory.ts';
import { gpuAdam, transferMs, type TimedWork } from './step-parts.ts';
import type { StepWork } from './step-work.ts';
import { workerLagMs } from './superoffload-worker.ts';

/*
 * SuperOffload 0.19.8. What is measured is of one recorded step of 2B on an H200's host (bench/measured/
 * timelines-2b.tar.gz): 2.12e9 parameters, four subgroups of 3e8 to 6.1e8 and one of vectors.
 */

/**
 * What Python and the driver take for a gradient besides its three copies: 927 ms for 484 of them, 775 of it copies. They
 * come one after another, because a copy to pageable memory returns when it is done.
 */
const gradientMs = 0.31;

/**
 * The worker beside the backward pass: it copies 8 bytes a parameter at 59 GB/s (286 ms; rates.hostGBps is 97), its Adam
 * takes 0.273 ns a parameter (0.276 in an earlier trace; alone 0.225), and after that it takes 54 and 78 ms until a
 * result of 6.1e8 and 6.0e8 parameters is out of the queue for which the training process waits. That queue is the same
 * with clipping, where each subgroup is waited for (_sync_cpu_optimizer_step).
 */
const beside = { copyReaches: 59 / 97, adamLonger: 0.273 / 0.225, handBackNs: 0.11 } as const;

/**
 * The worker copies a subgroup's gradients and steps on it while the backward pass goes on with the next. With clipping
 * nothing starts before the norm is known, and nothing goes on beside it. Gradients are scaled after their use, and the
 * weights go back at the end. The worker's results lie where the weights are: copying them onto themselves takes nothing.
 */
export function superOffloadTime(
  subject: Case,
  work: StepWork,
  chip: ChipRates,
  rates: HardwareRates,
): TimedWork[] {
  const { shard, cpuElements, accumulation } = work;
  return [
    timed(
      'gradients to the host',
      'link',
      bounceMs(work, chip, accumulation),
      `${bounceSource}; that not pinned: 13.7 GB/s where pinned memory has 55, in a traced step on an H200`,
    ),
    timed(
      'gradients one by one',
      'launches',
      gradientsMs(subject),
      '0.31 ms a tensor in the last micro-batch, besides its copies, in a traced step on an H200',
    ),
    timed(
      'waiting for the worker',
      'adam',
      waiting(subject, work, chip, rates),
      `8 bytes of copy, Adam (${adamSource}), 0.11 ns a parameter until the result is back; without clipping beside the backward pass, slower by what a traced step on an H200 shows`,
    ),
    scaling(cpuElements, chip),
    ...weightsUp(cpuElements, chip),
    gpuAdam(shard - cpuElements, rates),
  ];
}

function bounceMs({ shard, cpuElements }: StepWork, chip: ChipRates, microBatches: number): number | null {
  return sum(
    gradientsDown(shard, microBatches, 2, chip),
    transferMs(2 * shard, chip.upGBps),
    transferMs(4 * cpuElements, slower(chip.downGBps, unpinnedDown)),
  );
}

function gradientsMs({ model }: Case): number {
  return gradientMs * tensorsPerLayer * model.layers;
}

function waiting(subject: Case, work: StepWork, chip: ChipRates, rates: HardwareRates): number | null {
  if (work.cpuElements === 0) return 0;
  const { copyReaches, adamLonger, handBackNs } = beside;
  const copyMs = transferMs(8, chip.hostGBps);
  const adamMs = chip.adamMs(1);
  if (copyMs === null || adamMs === null) return null;
  const handBackMs = handBackNs / 1e6;
  if (subject.gradientClipping > 0) return work.cpuElements * (copyMs + adamMs + handBackMs);
  // The worker begins in the last micro-batch: only that one's pass and copies go on beside it.
  const passMs = passTimes(subject, work, rates)?.backwardMs ?? 0;
  return workerLagMs({
    subgroups: work.cpuSubgroups,
    elements: work.shard,
    bucketElements: settingOf(subject, 'reduce_bucket_size', 5e8) / work.chips,
    backwardMs: passMs + (bounceMs(work, chip, 1) ?? 0) + gradientsMs(subject),
    stepMs: (elements) => elements * (copyMs / copyReaches + adamLonger * adamMs + handBackMs),
  });
}
