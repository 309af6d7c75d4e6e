import type { Fault } from '../../errors.ts';
import type { Dtype, ModeName } from '../experiment/case.ts';
import type { GridFlags } from '../experiment/grid.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** The mode that a DeepSpeed JSON asks for, by what it offloads; undefined for stage 1 and for NVMe. */
export function modeOfConfig(config: JsonObject): ModeName | undefined {
  const zero = section(config, 'zero_optimization');
  const optimizer = section(zero, 'offload_optimizer');
  const offloaded = optimizer['device'] === 'cpu';
  const parameters = section(zero, 'offload_param')['device'] === 'cpu';
  if (section(zero, 'offload_param')['device'] === 'nvme' || optimizer['device'] === 'nvme') return undefined;
  switch (zero['stage'] ?? 0) {
    case 0:
      return 'ddp';
    case 2:
      return offloaded ? 'zero_offload' : 'zero_2';
    case 3:
      if (optimizer['super_offload'] === true) return 'prism';
      if (!offloaded) return 'zero_3';
      return parameters ? 'zero_infinity_param' : 'zero_infinity';
    default:
      return undefined;
  }
}

/** Reads out of a user's DeepSpeed JSON what flags would say; a flag that disagrees with the file is a fault. */
export function mergeConfigFlags(
  config: JsonObject,
  flags: GridFlags,
  place: string,
): { readonly flags: GridFlags; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const merge = <T>(
    path: string,
    fromFile: T | undefined,
    flag: string,
    fromFlag: T | undefined,
  ): T | undefined => {
    if (fromFile !== undefined && fromFlag !== undefined && fromFile !== fromFlag) {
      faults.push({
        place: `${place} ${path}`,
        problem: `${String(fromFile)} disagrees with ${flag} ${String(fromFlag)}`,
        expected: 'one of them only',
      });
    }
    return fromFlag ?? fromFile;
  };
  const mode = modeOfConfig(config);
  if (mode === undefined && flags.modes === undefined) {
    faults.push({
      place: `${place} /zero_optimization`,
      problem: 'no known mode',
      expected: 'stage 0, 2 or 3 without NVMe, or --mode',
    });
  }
  const microBatch = merge(
    '/train_micro_batch_size_per_gpu',
    numeric(config, 'train_micro_batch_size_per_gpu'),
    '--micro-batch',
    flags.microBatch,
  );
  const globalBatch = merge(
    '/train_batch_size',
    numeric(config, 'train_batch_size'),
    '--global-batch',
    flags.globalBatch,
  );
  const clipping = numeric(config, 'gradient_clipping');
  const ratio = numeric(section(section(config, 'zero_optimization'), 'offload_optimizer'), 'ratio');
  const dtype = merge('/bf16', dtypeOf(config), '--dtype', flags.dtype);
  const merged = {
    ...flags,
    ...defined('modes', flags.modes ?? (mode === undefined ? undefined : [mode])),
    ...defined('microBatch', microBatch),
    ...defined('globalBatch', globalBatch),
    ...defined('dtype', dtype),
    ...defined('ratio', merge('/zero_optimization/offload_optimizer/ratio', ratio, '--ratio', flags.ratio)),
    ...defined('gradientClipping', clipping),
  };
  return { flags: merged, faults };
}

/** The file as it will be run: the user's keys, with the batch of the case, which the file need not name. */
export function completeConfig(config: JsonObject, built: JsonObject): JsonObject {
  const batch = [
    'train_batch_size',
    'train_micro_batch_size_per_gpu',
    'gradient_accumulation_steps',
  ] as const;
  return {
    gradient_clipping: built['gradient_clipping'],
    ...config,
    ...Object.fromEntries(batch.map((key) => [key, built[key]])),
  };
}

function dtypeOf(config: JsonObject): Dtype | undefined {
  if (section(config, 'bf16')['enabled'] === true) return 'bf16';
  return section(config, 'fp16')['enabled'] === true ? 'fp16' : 'fp32';
}

function section(config: JsonObject, key: string): JsonObject {
  const value = config[key];
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

/** DeepSpeed also takes "auto" for a number; then the flags decide. */
function numeric(config: JsonObject, key: string): number | undefined {
  const value = config[key];
  return typeof value === 'number' ? value : undefined;
}

function defined<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
