import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { parameterCount } from './shape.ts';
import { predictTime, type HostShare } from './step-time.ts';
import { sharesOf } from './step-work.ts';
import { usesOverlap } from './superoffload-settings.ts';

/**
 * Launcher, imports, NCCL, the model and what a first step takes longer: whole runs on one H200 less their steps. Ten of
 * ddp and zero_2, 2B to 5B: 6.5 to 7.8 s, a later one of 3B 9.9 (bench/measured).
 */
const startMs = 7_300;

/**
 * What a rank's optimizer on the CPU takes to be made, its page-locked memory above all. Measured on an H200's host, all
 * but the steps of whole runs (bench/measured): zero_offload 25 to 34 s at 2B, 40 to 46 at 3B, 66 to 79 at 5B; zero_infinity 30 to 35,
 * 40 to 45 and 54 to 57 s, prism 42 to 57 s at 2 and 3B. Since then the trainer asks once what the processor is: 3.3 s less on a CPU.
 */
const msPerOffloadedParameter = (66_000 - 7_300) / 5.14e9;

/** SuperOffload's first step starts its worker and moves gradients to shared memory. Measured: 12 to 18 s. */
const workerMs = 15_000;

/**
 * The overlap optimizer until the end of its first step: launcher, imports and that step's own 2 to 3 s, then the model's
 * weights, then the state of what is on the CPU and its registered memory. Fitted to runs on an H200, which took 20 s (2B),
 * 30 (5B), 32 (7B, ratio 0.55) and 60 (15.9e9, 0.52) so (bench/measured/overlap-runs.tar.gz): met within 4 s.
 */
const overlapMs = { start: 12_000, parameter: 1.75e-6, offloadedParameter: 1.9e-6 } as const;

/**
 * Expected time of a whole run: start, first step, steps. For the order and the progress of campaigns; its steps are
 * mostly a little too short (bench/predict.md has the errors).
 * @returns milliseconds; null where no step time can be predicted
 */
export function predictDurationMs(
  subject: Case,
  system: System,
  steps: number,
  options: HostShare = {},
): number | null {
  const time = predictTime(subject, system, options);
  if (time === null) return null;
  const { offloadsOptimizer, superOffload } = modes[subject.mode];
  const elements = parameterCount(subject.model, subject.sequenceLength) / subject.chips;
  if (usesOverlap(subject)) {
    const { start, parameter, offloadedParameter } = overlapMs;
    const made = parameter * elements + offloadedParameter * sharesOf(subject).cpuElements;
    return start + made + steps * time.stepMs;
  }
  return (
    startMs +
    (offloadsOptimizer ? elements * msPerOffloadedParameter : 0) +
    (superOffload ? workerMs : 0) +
    steps * time.stepMs
  );
}
