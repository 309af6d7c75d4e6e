import { readJson } from '../../adapters/files.ts';
import { unknownDeepSpeedKeys, validateDeepSpeedConfig } from '../../adapters/validate.ts';
import { agreementFaults } from '../../core/deepspeed/agreement.ts';
import type { JsonObject } from '../../core/deepspeed/modes/mode.ts';
import { buildConfig, type BuildOptions } from '../../core/deepspeed/build-config.ts';
import { applyOverrides } from '../../core/deepspeed/overrides.ts';
import { completeConfig, labelFaults, mergeConfigFlags } from '../../core/deepspeed/read-config.ts';
import { findMode, modes } from '../../core/deepspeed/modes/registry.ts';
import { ratioFaults } from '../../core/deepspeed/ratio-faults.ts';
import { objectAt, runsOverlap, runsSuperOffload } from '../../core/deepspeed/super-offload.ts';
import type { Case, ModeName } from '../../core/experiment/case.ts';
import { distinctFaults } from '../../core/experiment/distinct-faults.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { faultsError, type Fault } from '../../errors.ts';

/** The user's DeepSpeed JSON and what it means for the flags. */
export interface UserConfig {
  readonly path: string | null;
  /** null: the JSON is generated. */
  readonly config: JsonObject | null;
  readonly flags: GridFlags;
  readonly faults: readonly Fault[];
}

/**
 * Reads the file of `--config` and joins it with the flags.
 * @throws SuperOffloadError 'usage' where it is no JSON object, 'config' with every fault of its syntax or with every key that
 *   DeepSpeed does not know.
 */
export async function readUserConfig(
  path: string | null,
  flags: GridFlags,
  { superOffload, deepspeedVersion }: BuildOptions,
): Promise<UserConfig> {
  if (path === null)
    return { path, config: null, flags, faults: ratioFaults(modesNamed(flags), flags.ratio) };
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const problem = value === undefined ? 'there is no such file' : 'is not a JSON object';
    throw faultsError('usage', [{ place: `--config ${path}`, problem, expected: 'a DeepSpeed JSON' }]);
  }
  const config = value as JsonObject;
  // Before any mode is read out of it: without the section that a misspelt name hides it would be another's.
  const unknown = unknownDeepSpeedKeys(config, deepspeedVersion, path);
  if (unknown.length > 0) throw faultsError('config', unknown, 'nothing was started');
  const read = mergeConfigFlags(config, flags, path, superOffload);
  const faults = [...read.faults, ...ratioFaults(modesNamed(read.flags), flags.ratio)];
  return { path, config, flags: read.flags, faults };
}

function modesNamed({ modes: names = [] }: GridFlags): ModeName[] {
  return names.flatMap((name) => findMode(name)?.name ?? []);
}

/** A case and the DeepSpeed JSON that it runs with. */
export interface ConfiguredCase {
  readonly subject: Case;
  readonly config: JsonObject;
}

/**
 * The DeepSpeed JSON of every case: generated or the user's, with every `--ds` on top, checked.
 * @throws SuperOffloadError 'config' with the faults of all cases.
 */
export function configureCases(
  cases: readonly Case[],
  user: UserConfig,
  deepspeed: BuildOptions,
): { readonly configs: readonly ConfiguredCase[]; readonly notes: readonly string[] } {
  const notes = new Set<string>();
  const faults: Fault[] = [];
  const configs = cases.map((subject) => {
    const generated = buildConfig(subject, deepspeed);
    const config =
      user.config === null
        ? generated
        : applyOverrides(completeConfig(user.config, generated), subject.deepspeedOverrides);
    const place = user.path ?? 'DeepSpeed config';
    const checked = validateDeepSpeedConfig(config, deepspeed.deepspeedVersion, place);
    faults.push(...checked.faults);
    if (checked.faults.length === 0) faults.push(...meaningFaults(config, subject, deepspeed, user));
    if (checked.note !== null) notes.add(checked.note);
    if (isSilentSuperOffload(config, subject, deepspeed)) notes.add(silentNote);
    if (isLostSuperOffload(config, deepspeed)) notes.add(`${place}: ${lostNote} ${subject.mode}`);
    return { subject, config };
  });
  if (faults.length > 0) throw faultsError('config', distinctFaults(faults), 'nothing was started');
  return { configs, notes: [...notes] };
}

/** What DeepSpeed would take without a word, and does something else than the case and its arguments say. */
function meaningFaults(
  config: JsonObject,
  subject: Case,
  { superOffload, deepspeedVersion }: BuildOptions,
  { path, flags }: UserConfig,
): Fault[] {
  const place = path ?? 'DeepSpeed config';
  const allowUnsafe = flags.allowUnsafe ?? false;
  const faults = agreementFaults(config, subject, {
    ...{ superOffload, deepspeedVersion, place, allowUnsafe },
  });
  const { sequenceParallel } = subject;
  return faults.length > 0 ? faults : labelFaults(config, subject, { superOffload, sequenceParallel });
}

/** The paper's branch turns SuperOffload on wherever ZeRO-3 offloads its optimizer: another mode is not quite itself. */
function isSilentSuperOffload(config: JsonObject, { mode }: Case, { superOffload }: BuildOptions): boolean {
  return !modes[mode].superOffload && runsSuperOffload(config, superOffload);
}

const silentNote =
  'the DeepSpeed of this stack has no key for SuperOffload and runs its optimizer wherever ZeRO-3 offloads: ' +
  'zero_infinity here is the published one, and on DeepSpeed from PyPI another';

/** The artifact's prism.json on DeepSpeed from PyPI: only SuperOffload's configurations set a ratio. */
function isLostSuperOffload(config: JsonObject, { superOffload }: BuildOptions): boolean {
  const zero = objectAt(config, 'zero_optimization');
  const hasRatio = objectAt(zero, 'offload_optimizer')['ratio'] !== undefined;
  return zero['stage'] === 3 && hasRatio && !runsOverlap(config) && !runsSuperOffload(config, superOffload);
}

const lostNote =
  'has a ratio, and without "super_offload": true in offload_optimizer the DeepSpeed of this stack runs nothing of ' +
  'SuperOffload; this is';
