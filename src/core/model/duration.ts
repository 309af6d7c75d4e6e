import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { parameterCount } from './shape.ts';
import { predictTime } from './step-time.ts';

/** From the launch to the first step of a small run: launcher, imports, NCCL. Measured: 15 to 20 s. */
const startMs = 20_000;

/**
 * What a rank's optimizer on the CPU takes to be made, its pinned memory above all. Measured: 107 s until the first
 * step of zero_offload at 5.29e9 parameters, on a host of 97 GB/s.
 */
const msPerOffloadedParameter = (107_000 - startMs) / 5.29e9;

/** SuperOffload's first step starts its worker and moves gradients to shared memory. Measured: 12 to 18 s. */
const workerMs = 15_000;

/**
 * Expected time of a whole run: start, first step, steps. For the order and the progress of campaigns; its steps are
 * mostly too short (bench/predict.md has the errors).
 * @returns milliseconds; null where no step time can be predicted
 */
export function predictDurationMs(subject: Case, system: System, steps: number): number | null {
  const time = predictTime(subject, system);
  if (time === null) return null;
  const { offloadsOptimizer, superOffload } = modes[subject.mode];
  const elements = parameterCount(subject.model, subject.sequenceLength) / subject.chips;
  return (
    startMs +
    (offloadsOptimizer ? elements * msPerOffloadedParameter : 0) +
    (superOffload ? workerMs : 0) +
    steps * time.stepMs
  );
}
