import { usesOverlap } from '../../model/superoffload-settings.ts';
import type { Case } from '../../experiment/case.ts';

/** What of the DeepSpeed JSON the model of step time reads (core/model): another key would be predicted as if it were not there. */
const modelled: ReadonlySet<string> = new Set([
  'superoffload.casts',
  'superoffload.copy_streams',
  'superoffload.early_forward',
  'superoffload.early_return',
  'superoffload.fused_casts',
  'superoffload.host_memory',
  'superoffload.pin_memory',
  'superoffload.speculation',
  'superoffload.subgroup_elements',
  'zero_optimization.offload_optimizer.ratio',
  'zero_optimization.reduce_bucket_size', // of memory; no step was seen to follow it
  'zero_optimization.sub_group_size',
]);

/**
 * Whether the model knows every setting of a case. How often the overlap optimizer's steps are clipped decides how long
 * they take, and nobody knows that before.
 */
export function isPredictable(subject: Case): boolean {
  const isKnown = Object.keys(subject.deepspeedOverrides).every((key) => modelled.has(key));
  return isKnown && !(usesOverlap(subject) && subject.gradientClipping > 0);
}
