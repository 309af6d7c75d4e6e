import type { Case } from '../../experiment/case.ts';

/** What of the DeepSpeed JSON the model of step time reads (core/model): another key would be predicted as if it were not there. */
const modelled: ReadonlySet<string> = new Set([
  'zero_optimization.reduce_bucket_size',
  'zero_optimization.sub_group_size',
]);

/** Whether the model knows every setting of a case. */
export function superoffloadKeysKnown({ deepspeedOverrides }: Pick<Case, 'deepspeedOverrides'>): boolean {
  return Object.keys(deepspeedOverrides).every((key) => modelled.has(key));
}
