import type { Fault } from '../../errors.ts';
import type { JsonObject } from './modes/mode.ts';

/** Settings that a flag owns: the record would lie if the JSON said otherwise. */
const ownedByFlag: Readonly<Record<string, string>> = {
  train_batch_size: '--global-batch',
  train_micro_batch_size_per_gpu: '--micro-batch',
  gradient_accumulation_steps: '--global-batch and --micro-batch',
  'bf16.enabled': '--dtype',
  'fp16.enabled': '--dtype',
  bf16: '--dtype',
  fp16: '--dtype, or --ds fp16.KEY=VALUE',
  zero_optimization: '--mode, or --ds zero_optimization.KEY=VALUE',
  'zero_optimization.stage': '--mode',
  'zero_optimization.offload_optimizer.ratio': '--ratio',
  superoffload: '--mode prism_overlap, or --ds superoffload.KEY=VALUE',
  'superoffload.optimizer': '--mode prism_overlap',
  optimizer: '--workload command with a training script of your own',
};

export type OverrideResult =
  | { readonly ok: true; readonly overrides: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads `KEY=VALUE` words: KEY a dotted path into the DeepSpeed JSON, VALUE JSON, or text where it is no JSON.
 * Path and type are checked later, against the keys that the installed DeepSpeed knows.
 */
export function parseOverrides(words: readonly string[]): OverrideResult {
  const overrides: Record<string, unknown> = {};
  const faults: Fault[] = [];
  for (const word of words) {
    const [, key, text] = /^([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)=(.*)$/s.exec(word) ?? [];
    if (key === undefined || text === undefined) {
      faults.push({
        place: `--ds ${word}`,
        problem: 'is not KEY=VALUE',
        expected: 'for example zero_optimization.sub_group_size=100000000',
      });
      continue;
    }
    const owner = ownedByFlag[key];
    if (owner !== undefined) {
      faults.push({ place: `--ds ${word}`, problem: `${key} belongs to a flag`, expected: owner });
    } else if (key in overrides) {
      faults.push({ place: `--ds ${word}`, problem: `${key} is given twice`, expected: 'one value' });
    }
    overrides[key] = jsonOrText(text);
  }
  return faults.length === 0 ? { ok: true, overrides } : { ok: false, faults };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @returns a copy of `config` with every dotted key set; sections that are missing are made. */
export function applyOverrides(config: JsonObject, overrides: Readonly<Record<string, unknown>>): JsonObject {
  return Object.entries(overrides).reduce(
    (result, [key, value]) => setPath(result, key.split('.'), value),
    config,
  );
}

function setPath(target: JsonObject, [key = '', ...rest]: readonly string[], value: unknown): JsonObject {
  if (rest.length === 0) return { ...target, [key]: value };
  const section = target[key];
  const inner = isObject(section) ? section : {};
  return { ...target, [key]: setPath(inner, rest, value) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
