import { modes } from '../deepspeed/modes/registry.ts';
import { objectAt } from '../deepspeed/super-offload.ts';
import type { Case } from '../experiment/case.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/**
 * Settings that decide how long a step takes and that no formula here reads, in words: a step is predicted as if they were
 * not set.
 */
export function unreadSettings(subject: Case): string[] {
  const overlaps = usesOverlap(subject);
  const { casts, adamThreads, bindThreads } = superoffloadSettings(subject);
  const hasOverlayAdam = overlaps || casts === 'fused';
  return [
    ...(overlaps && subject.gradientClipping > 0 ? ['how often gradients are clipped'] : []),
    ...(hasOverlayAdam && adamThreads !== 0 ? ['superoffload.adam_threads'] : []),
    ...(hasOverlayAdam && !bindThreads ? ['superoffload.bind_threads'] : []),
    ...(modes[subject.mode].superOffload && !overlaps && workerShare(subject) !== usualWorkerShare
      ? [`${offload}.cpuadam_cores_perc`]
      : []),
  ];
}

const offload = 'zero_optimization.offload_optimizer';

/** Of the cores, what DeepSpeed gives SuperOffload's worker where nothing is said (runtime/zero/offload_config.py, 0.19.8). */
const usualWorkerShare = 0.8;

/** Of an experiment's row or `--ds`, or of a JSON of the user's, which has the section as a whole. */
function workerShare({ deepspeedOverrides }: Case): unknown {
  const { [`${offload}.cpuadam_cores_perc`]: given } = deepspeedOverrides;
  return given ?? objectAt(deepspeedOverrides, offload)['cpuadam_cores_perc'] ?? usualWorkerShare;
}
