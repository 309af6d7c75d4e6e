import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { parameterCount } from './shape.ts';
import { predictTime } from './step-time.ts';
import { usesOverlap } from './superoffload-settings.ts';

/** From the launch to the first step of a small run: launcher, imports, NCCL. Measured: 15 to 20 s. */
const startMs = 20_000;

/**
 * What a rank's optimizer on the CPU takes to be made, its page-locked memory above all. Measured on an H200's host, all
 * but the steps of whole runs (bench/measured): zero_offload 30, 40 and 68 s at 2, 3 and 5B, zero_infinity 31, 43 and
 * 55 s, prism 44 and 48 s at 2 and 3B.
 */
const msPerOffloadedParameter = (68_000 - 10_000) / 5.14e9;

/** prism_overlap registers less, and in place: 19 s at 2B, 28 s at 5 and 7B, 57 s at 15.9e9 parameters. */
const msPerOverlapParameter = (57_000 - startMs) / 15.9e9;

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
  const makingMs = usesOverlap(subject) ? msPerOverlapParameter : msPerOffloadedParameter;
  const elements = parameterCount(subject.model, subject.sequenceLength) / subject.chips;
  return (
    startMs +
    (offloadsOptimizer ? elements * makingMs : 0) +
    (superOffload ? workerMs : 0) +
    steps * time.stepMs
  );
}
