import type { Fault } from '../../errors.ts';
import type { Case, Dtype, ModeName } from '../experiment/case.ts';
import type { GridFlags } from '../experiment/grid-flags.ts';
import { ownedSections } from './agreement.ts';
import { modesOfConfig, type ModeReading } from './mode-of-config.ts';
import type { JsonObject } from './modes/mode.ts';
import { findMode } from './modes/registry.ts';
import { objectAt, runsOverlap, type SuperOffloadSwitch } from './super-offload.ts';

/** What a DeepSpeed JSON and a flag can both say: the JSON path, the flag, and the field of the grid's flags. */
const shared = [
  ['train_micro_batch_size_per_gpu', '--micro-batch', 'microBatch'],
  ['train_batch_size', '--global-batch', 'globalBatch'],
  ['gradient_clipping', '--ds gradient_clipping', 'gradientClipping'],
] as const;

/**
 * Reads out of a user's DeepSpeed JSON what flags would say; a flag that disagrees with the file is a fault, and so
 * is what the workload sets itself: the file decides what is measured, so a row must be called what it is.
 */
export function mergeConfigFlags(
  config: JsonObject,
  flags: GridFlags,
  place: string,
  superOffload: SuperOffloadSwitch,
): { readonly flags: GridFlags; readonly faults: readonly Fault[] } {
  const { workload = 'builtin', sequenceParallel = 1 } = flags;
  const possible = modesOfConfig(config, { superOffload, sequenceParallel });
  const asked = (flags.modes ?? []).map((name) => findMode(name)?.name);
  const mode = possible.find((name) => asked.includes(name)) ?? possible[0];
  const ratioPath = 'zero_optimization/offload_optimizer/ratio';
  const said = [
    ...shared.map(([key, flag, field]) => ({ path: key, flag, field, value: numeric(config, key) })),
    { path: ratioPath, flag: '--ratio', field: 'ratio', value: ratioOf(config) } as const,
    { path: 'bf16', flag: '--dtype', field: 'dtype', value: dtypeOf(config) } as const,
  ].filter(({ value }) => value !== undefined);
  const faults: Fault[] = said
    .filter(({ field, value }) => flags[field] !== undefined && flags[field] !== value)
    .map(({ path, flag, field, value }) => ({
      place: `${place} /${path}`,
      problem: `${String(value)} disagrees with ${flag} ${String(flags[field])}`,
      expected: 'one of them only',
    }));
  faults.push(...ownedSections(config, { workload }, place), ...modeFaults(mode, flags.modes ?? [], place));
  const fromFile = Object.fromEntries(said.map(({ field, value }) => [field, value])) as GridFlags;
  const batch = batchOf(config, { ...fromFile, ...flags }, place);
  faults.push(...batch.faults);
  const modes = mode === undefined ? {} : { modes: [mode] };
  return { flags: { ...fromFile, ...flags, ...batch.flags, ...modes }, faults };
}

function modeFaults(mode: ModeName | undefined, asked: readonly string[], place: string): Fault[] {
  const at = `${place} /zero_optimization`;
  if (mode === undefined) {
    const expected = 'stage 0, 2 or 3 without NVMe, or --workload command with a training script of your own';
    return [{ place: at, problem: 'is of no known mode', expected }];
  }
  return asked
    .filter((name) => findMode(name)?.name !== mode)
    .map((name) => ({
      place: at,
      problem: `${mode} disagrees with --mode ${name}`,
      expected: 'one of them only',
    }));
}

/**
 * What `--ds` has made of a case: a row must not be called by a mode or a ratio that DeepSpeed does not run. A JSON
 * of no known mode, NVMe for example, is left to the user: the record keeps every override.
 */
export function labelFaults(
  config: JsonObject,
  subject: Pick<Case, 'mode' | 'ratio'>,
  reading: ModeReading,
): Fault[] {
  const possible = modesOfConfig(config, reading);
  const [likeliest] = possible;
  if (likeliest === undefined) return [];
  if (!possible.includes(subject.mode)) {
    const problem = `makes ${likeliest} of ${subject.mode}`;
    return [{ place: '--ds', problem, expected: `--mode ${likeliest}, or other settings` }];
  }
  const ratio = ratioOf(config);
  if (subject.ratio === null || ratio === subject.ratio) return [];
  return [{ place: '--ds', problem: `sets the ratio to ${String(ratio)}`, expected: '--ratio' }];
}

/**
 * Two of the three batch keys give the third, as in DeepSpeed (runtime/config.py, _set_batch_related_parameters);
 * accumulation has no flag, so it must not get lost.
 */
function batchOf(
  config: JsonObject,
  { microBatch, globalBatch, chips = 1, sequenceParallel = 1 }: GridFlags,
  place: string,
): { readonly flags: GridFlags; readonly faults: readonly Fault[] } {
  const steps = numeric(config, 'gradient_accumulation_steps');
  if (steps === undefined) return { flags: {}, faults: [] };
  if (globalBatch === undefined && microBatch === undefined) {
    const expected = 'train_batch_size or train_micro_batch_size_per_gpu beside it';
    return { flags: {}, faults: [fault(`${steps} alone decides no batch`, expected)] };
  }
  const ranks = chips / sequenceParallel;
  if (globalBatch === undefined)
    return { flags: { globalBatch: (microBatch ?? 1) * steps * ranks }, faults: [] };
  const micro = microBatch ?? globalBatch / (steps * ranks);
  if (Number.isInteger(micro) && micro * steps * ranks === globalBatch) {
    return { flags: { microBatch: micro }, faults: [] };
  }
  const product = `${microBatch ?? 'any micro-batch'} x ${steps} x ${ranks} ${sequenceParallel === 1 ? 'chips' : 'data-parallel ranks'}`;
  return { flags: {}, faults: [fault(`${steps} does not fit: ${product} is not the batch ${globalBatch}`)] };

  function fault(problem: string, expected?: string): Fault {
    const where = { place: `${place} /gradient_accumulation_steps`, problem };
    return expected === undefined ? where : { ...where, expected };
  }
}

/** DeepSpeed's own default is 1 (runtime/zero/offload_config.py), not the 0.9 of the JSON that this tool writes. */
function ratioOf(config: JsonObject): number | undefined {
  const optimizer = objectAt(objectAt(config, 'zero_optimization'), 'offload_optimizer');
  const isSplit = optimizer['super_offload'] === true || runsOverlap(config);
  return numeric(optimizer, 'ratio') ?? (isSplit ? 1 : undefined);
}

/**
 * The file as it will be run: the user's keys, with batch and clipping of the case, which the file need not name. A
 * clipping that is no number stays, for the check against DeepSpeed's keys.
 */
export function completeConfig(config: JsonObject, built: JsonObject): JsonObject {
  const clipping = config['gradient_clipping'] ?? 'auto';
  const owned = [
    ...(typeof clipping === 'number' || clipping === 'auto' ? ['gradient_clipping'] : []),
    'train_batch_size',
    'train_micro_batch_size_per_gpu',
    'gradient_accumulation_steps',
  ];
  return { ...config, ...Object.fromEntries(owned.map((key) => [key, built[key]])) };
}

function dtypeOf(config: JsonObject): Dtype | undefined {
  // DeepSpeed reads the older name only where the newer is absent (runtime/precision_config.py).
  if (objectAt(config, 'bf16' in config ? 'bf16' : 'bfloat16')['enabled'] === true) return 'bf16';
  return objectAt(config, 'fp16')['enabled'] === true ? 'fp16' : 'fp32';
}

/** DeepSpeed also takes "auto" for a number; then the flags decide. */
function numeric(config: JsonObject, key: string): number | undefined {
  const value = config[key];
  return typeof value === 'number' ? value : undefined;
}
