import { canonicalJson } from '../experiment/case-id.ts';
import type { Difference } from '../results/fairness.ts';

/** Told as facts of the case already, by their own names. */
const toldElsewhere: ReadonlySet<string> = new Set([
  'train_batch_size',
  'train_micro_batch_size_per_gpu',
  'gradient_accumulation_steps',
  'gradient_clipping',
  'bf16.enabled',
  'fp16.enabled',
]);

/** Keys that two DeepSpeed JSONs do not have in common, dotted; `(default)` where one does not set a key. */
export function diffConfigs(a: unknown, b: unknown): Difference[] {
  const [left, right] = [flatten(a), flatten(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => !toldElsewhere.has(key) && left.get(key) !== right.get(key))
    .sort()
    .map((key) => ({ name: key, a: left.get(key) ?? '(default)', b: right.get(key) ?? '(default)' }));
}

function flatten(value: unknown, place = '', found = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (place !== '') found.set(place, canonicalJson(value));
    return found;
  }
  for (const [key, each] of Object.entries(value))
    flatten(each, place === '' ? key : `${place}.${key}`, found);
  return found;
}
