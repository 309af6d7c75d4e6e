import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, HardwareRates, System } from '../experiment/case.ts';
import {
  adamSource,
  bounceSource,
  chipRates,
  gradientsDown,
  intoNewMemoryMs,
  ownAdam,
  scaling,
  sum,
  timed,
  weightsUp,
  type ChipRates,
} from './host-copies.ts';
import { gpuAdam, reached, transferMs, type TimedWork } from './step-parts.ts';
import type { StepWork } from './step-work.ts';
import { overlapTime } from './overlap-time.ts';
import { superOffloadTime } from './superoffload-time.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/** What an optimizer on the CPU adds to forward and backward: copies, Adam, casts. */
export function offloadParts(subject: Case, work: StepWork, system: System): TimedWork[] {
  const chip = chipRates(system);
  if (usesOverlap(subject)) return overlapTime(subject, work, system);
  const parts = modes[subject.mode].superOffload
    ? superOffloadTime(subject, work, chip, system.rates)
    : modes[subject.mode].zeroStage === 3
      ? stage3Parts(work, chip, system.rates)
      : superoffloadSettings(subject).casts === 'fused'
        ? fusedParts(work, chip, system.rates)
        : stage2Parts(subject, work, chip, system.rates);
  return [...parts, ...fp16Parts(subject, work, chip), ...weightParts(subject, work, chip)];
}

/**
 * What ZeRO-Offload adds to the GPU's own work: two traced steps of 2B computed 253 and 256 ms, where the passes take 209
 * (bench/measured/overlap-runs.tar.gz).
 */
const checkBytes = 60;
const castBytes = 2 + 4;

/**
 * ZeRO-Offload, one after the other (the profile of 2B on an H200 shows no overlap): each gradient is cast on the GPU
 * and goes down as fp32; Adam; a cast on the CPU into the pinned buffer; up.
 */
function stage2Parts(
  { gradientClipping, dtype }: Case,
  work: StepWork,
  chip: ChipRates,
  rates: HardwareRates,
): TimedWork[] {
  const { shard, accumulation } = work;
  // Clipped or not: with a limit, or with a loss scale, they are multiplied, be it by 1.
  const scaled = gradientClipping > 0 || dtype === 'fp16' ? shard : 0;
  return [
    gradientChecks(work, checkBytes, rates),
    timed('gradients to the host', 'link', gradientsDown(shard, accumulation, 4, chip), 'fp32 over the link'),
    scaling(scaled, chip, 'runtime/zero/stage_1_and_2.py, unscale_and_clip_grads'),
    timed('Adam', 'adam', chip.adamMs(shard), adamSource),
    timed(
      'weights cast to 16 bit',
      'host-memory',
      transferMs(6 * shard, chip.hostGBps),
      '6 bytes a parameter over rates.hostGBps',
    ),
    weightsReturned(work, chip),
  ];
}

/** The same with superoffload.casts `fused`: gradients go down in 16 bits, and Adam, the overlay's, casts both ways. */
function fusedParts(work: StepWork, chip: ChipRates, rates: HardwareRates): TimedWork[] {
  const { shard, accumulation } = work;
  const adamMs = chip.adamMs(shard);
  return [
    gradientChecks(work, checkBytes - castBytes, rates),
    timed(
      'gradients to the host',
      'link',
      gradientsDown(shard, accumulation, 2, chip),
      '16 bit over the link',
    ),
    timed('Adam', 'adam', adamMs === null ? null : ownAdam * adamMs, `87% of ${adamSource}`),
    weightsReturned(work, chip),
  ];
}

function gradientChecks(
  { parameters, accumulation }: StepWork,
  bytes: number,
  { hbmGBps }: HardwareRates,
): TimedWork {
  return timed(
    'gradients cast, checked and their norm',
    'gpu-memory',
    transferMs((bytes * accumulation * parameters) / reached.traffic, hbmGBps),
    '60 bytes a parameter, 6 of them a cast, over 56% of rates.hbmGBps: two traced steps of 2B on an H200 computed 46 ms longer',
  );
}

function weightsReturned({ shard }: StepWork, chip: ChipRates): TimedWork {
  return timed(
    'weights to the GPU',
    'link',
    transferMs(2 * shard, chip.upGBps),
    '16 bit over the link, pinned',
  );
}

/** ZeRO-3 with a CPU optimizer, one after the other; fp32 weights are pageable there. */
function stage3Parts(
  { shard, cpuElements, accumulation }: StepWork,
  chip: ChipRates,
  rates: HardwareRates,
): TimedWork[] {
  return [
    timed(
      'gradients to the host',
      'link',
      sum(
        gradientsDown(shard, accumulation, 2, chip),
        transferMs(4 * cpuElements, chip.downGBps),
        transferMs(2 * shard, chip.upGBps),
      ),
      bounceSource,
    ),
    scaling(cpuElements, chip),
    timed('Adam', 'adam', chip.adamMs(cpuElements), adamSource),
    ...weightsUp(cpuElements, chip),
    gpuAdam(shard - cpuElements, rates),
  ];
}

/**
 * The loss scale's check of every 16-bit gradient on the host: isinf writes a copy of the magnitudes, reads it, writes a mask
 * and reads that (8 bytes), isnan reads the gradient, writes a mask and reads it (4). What is written is new memory.
 */
function fp16Parts({ dtype, mode }: Case, { shard }: StepWork, { hostGBps }: ChipRates): TimedWork[] {
  if (dtype !== 'fp16' || modes[mode].zeroStage !== 3) return [];
  return [
    timed(
      'gradients checked for inf and nan',
      'host-memory',
      intoNewMemoryMs(12 * shard, hostGBps),
      'runtime/zero/stage3.py, has_overflow: 12 bytes a parameter at 30% of rates.hostGBps, like the cast of weights into new memory',
    ),
  ];
}

/** Weights that lie on the host come up for every pass. */
function weightParts(subject: Case, { shard, accumulation }: StepWork, chip: ChipRates): TimedWork[] {
  if (!modes[subject.mode].offloadsParameters) return [];
  const passes = (subject.activationCheckpointing ? 3 : 2) * accumulation;
  return [
    timed(
      'weights fetched for the passes',
      'link',
      transferMs(2 * passes * shard, chip.upGBps),
      'offload_param: 16 bit over the link, pinned',
    ),
  ];
}
