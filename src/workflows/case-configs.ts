import { readJson } from '../adapters/files.ts';
import { validateDeepSpeedConfig } from '../adapters/validate.ts';
import { buildConfig } from '../core/deepspeed/build-config.ts';
import { applyOverrides } from '../core/deepspeed/overrides.ts';
import { completeConfig, labelFaults, mergeConfigFlags } from '../core/deepspeed/read-config.ts';
import type { Case } from '../core/experiment/case.ts';
import { distinctFaults } from '../core/experiment/distinct-faults.ts';
import type { GridFlags } from '../core/experiment/grid.ts';
import { faultsError, type Fault } from '../errors.ts';

type JsonObject = Readonly<Record<string, unknown>>;

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
 * @throws SuperOffloadError 'usage' where it is no JSON object, 'config' with every fault of its syntax.
 */
export async function readUserConfig(path: string | null, flags: GridFlags): Promise<UserConfig> {
  if (path === null) return { path, config: null, flags, faults: [] };
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const problem = value === undefined ? 'there is no such file' : 'is not a JSON object';
    throw faultsError('usage', [{ place: `--config ${path}`, problem, expected: 'a DeepSpeed JSON' }]);
  }
  const config = value as JsonObject;
  return { path, config, ...mergeConfigFlags(config, flags, path) };
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
  deepspeedVersion: string,
): { readonly configs: readonly ConfiguredCase[]; readonly notes: readonly string[] } {
  const notes = new Set<string>();
  const faults: Fault[] = [];
  const configs = cases.map((subject) => {
    const generated = buildConfig(subject, { deepspeedVersion });
    const config =
      user.config === null
        ? generated
        : applyOverrides(completeConfig(user.config, generated), subject.deepspeedOverrides);
    const checked = validateDeepSpeedConfig(config, deepspeedVersion, user.path ?? 'DeepSpeed config');
    faults.push(...checked.faults, ...labelFaults(config, subject));
    if (checked.note !== null) notes.add(checked.note);
    return { subject, config };
  });
  if (faults.length > 0) throw faultsError('config', distinctFaults(faults), 'nothing was started');
  return { configs, notes: [...notes] };
}
