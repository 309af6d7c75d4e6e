import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { parameterCount } from './shape.ts';
import { predictTime, type HostShare } from './step-time.ts';
import { sharesOf, stepWork } from './step-work.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/**
 * Launcher, imports, NCCL, the model and what a first step takes longer: whole runs on one H200 less their steps. Ten of
 * ddp and zero_2, 2B to 5B: 6.5 to 7.8 s, a later one of 3B 9.9 (bench/measured).
 */
const startMs = 7_300;

/**
 * What a rank's optimizer on the CPU takes to be made, its page-locked memory above all. Measured on an H200's host, all
 * but the steps of whole runs (bench/measured): zero_offload 25 to 33 s at 2B, 40 to 46 at 3B, 66 to 79 at 5B; zero_infinity 31 to 38,
 * 43 to 48 and 55 to 63 s. Since the trainer asks once what the processor is, which is 3.3 s less on a CPU: zero_offload 25, 30
 * and 30 s at 2B, zero_infinity 63 at 5B. Launches differ by more than that.
 */
const msPerOffloadedParameter = (66_000 - 7_300) / 5.14e9;

/** With registered memory, which is as large as asked for: zero_offload at 2B 15.6 and 16.6 s (before that change 19 and 20). */
const msPerRegisteredParameter = (16_100 - 7_300) / 2.12e9;

/**
 * SuperOffload's first step starts its worker and moves gradients to shared memory. Measured: 35.5 to 38.6 s at 2B with ratio
 * 0.9 (four launches; 44 to 51 before the change, which its worker gains by too), less what zero_infinity is said to take.
 */
const workerMs = 6_000;

/**
 * The overlap optimizer until the end of its first step: launcher, imports and that step's own 2 s, then the model's weights,
 * then the state of what is on the CPU and its registered memory. Fitted to medians on an H200 since weights become state by
 * many threads (bench/measured/ablation-2b.tar.gz, timelines-2b.tar.gz, ablation-5b-part.tar.gz): 10.8 s at 2B with ratio 0.05,
 * 11.9 with 0.9, 13.0 with 1 (16 launches, 11.6 to 14.8), 24.4 at 5B (three, 23.6 to 25.5). Until then 15 to 23 s at 2B and 27
 * to 31 at 5B; of 7B at ratio 0.55 (28 to 31 s) and 15.9e9 at 0.52 (58) nothing newer is known: 29 and 54 are said.
 */
const overlapMs = { start: 5_300, parameter: 2.55e-6, offloadedParameter: 1.1e-6 } as const;

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
  const { superOffload } = modes[subject.mode];
  const elements = parameterCount(subject.model, subject.sequenceLength) / subject.chips;
  if (usesOverlap(subject)) {
    const { start, parameter, offloadedParameter } = overlapMs;
    const made = parameter * elements + offloadedParameter * sharesOf(subject).cpuElements;
    return start + made + steps * time.stepMs;
  }
  return (
    startMs +
    lockedElements(subject, system) * msPerParameter(subject) +
    (superOffload ? workerMs : 0) +
    steps * time.stepMs
  );
}

/**
 * Parameters whose page-locked memory is made, those of which there is less in proportion. ZeRO-3 has 2 bytes of gradients of
 * every parameter there, and 4 of those that the CPU steps: prism at 2B with ratio 0.5 took 29 s besides its steps, with 0.9
 * 38 (bench/measured/ablation-2b.tar.gz).
 */
function lockedElements(subject: Case, system: System): number {
  const { offloadsOptimizer, zeroStage } = modes[subject.mode];
  if (!offloadsOptimizer) return 0;
  const { shard, cpuElements } = stepWork(subject, system);
  return zeroStage === 3 ? (2 * shard + 4 * cpuElements) / 6 : shard;
}

function msPerParameter(subject: Case): number {
  return superoffloadSettings(subject).hostMemory === 'registered'
    ? msPerRegisteredParameter
    : msPerOffloadedParameter;
}
