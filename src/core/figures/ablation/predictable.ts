import type { Case } from '../../experiment/case.ts';
import { unreadSettings } from '../../model/unread-settings.ts';

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
  'zero_optimization.reduce_bucket_size',
  'zero_optimization.sub_group_size',
]);

/** Whether the model of step time knows every setting of a case. */
export function isPredictable(subject: Case): boolean {
  const isKnown = Object.keys(subject.deepspeedOverrides).every((key) => modelled.has(key));
  return isKnown && unreadSettings(subject).length === 0;
}
