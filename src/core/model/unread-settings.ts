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
  const hasOverlayAdam = overlaps || superoffloadSettings(subject).casts === 'fused';
  const { adamThreads, boundThreads, workerShare } = settings(subject);
  return [
    ...(overlaps && subject.gradientClipping > 0 ? ['how often gradients are clipped'] : []),
    ...(hasOverlayAdam && adamThreads !== 0 ? ['superoffload.adam_threads'] : []),
    ...(hasOverlayAdam && !boundThreads ? ['superoffload.bind_threads'] : []),
    ...(modes[subject.mode].superOffload && !overlaps && workerShare !== usualWorkerShare
      ? [`${offload}.cpuadam_cores_perc`]
      : []),
  ];
}

const offload = 'zero_optimization.offload_optimizer';

/** Of the cores, what DeepSpeed gives SuperOffload's worker where nothing is said (runtime/zero/offload_config.py, 0.19.8). */
const usualWorkerShare = 0.8;

function settings({ deepspeedOverrides }: Case) {
  const { [`${offload}.cpuadam_cores_perc`]: given } = deepspeedOverrides;
  return {
    adamThreads: deepspeedOverrides['superoffload.adam_threads'] ?? 0,
    boundThreads: deepspeedOverrides['superoffload.bind_threads'] !== false,
    workerShare: given ?? objectAt(deepspeedOverrides, offload)['cpuadam_cores_perc'] ?? usualWorkerShare,
  };
}
