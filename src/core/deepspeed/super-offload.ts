import { versionOrder } from '../stack/version.ts';
import { overlaySection } from './known-keys.ts';
import type { JsonObject } from './modes/mode.ts';

/**
 * How a DeepSpeed is told to run SuperOffload. `key`: by `offload_optimizer.super_offload`, and without that key
 * nothing of it runs, silently. `implied`: it has no such key and runs SuperOffload wherever ZeRO-3 offloads its
 * optimizer (the paper's branch). `absent`: it cannot.
 */
export type SuperOffloadSwitch = 'key' | 'implied' | 'absent';

/**
 * @param source what the source tree of a DeepSpeed that was installed from a repository says of itself; null for a
 *   package of the index. A repository is not always the paper's: upstream's own has the key since 0.18.
 */
export function superOffloadSwitch(
  version: string,
  source: { readonly hasKey: boolean } | null,
): SuperOffloadSwitch {
  if (source !== null) return source.hasKey ? 'key' : 'implied';
  return versionOrder(version, '0.18.0') < 0 ? 'absent' : 'key';
}

/** The overlay's optimizer goes before SuperOffload's own, whether or not the JSON asks for that too. */
export function runsOverlap(config: JsonObject): boolean {
  return (
    objectAt(config, 'zero_optimization')['stage'] === 3 &&
    objectAt(config, overlaySection)['optimizer'] === 'overlap'
  );
}

/** Whether DeepSpeed runs its own SuperOffload with this JSON, whatever the case is called. */
export function runsSuperOffload(config: JsonObject, superOffload: SuperOffloadSwitch): boolean {
  if (superOffload !== 'implied' && runsOverlap(config)) return false;
  const zero = objectAt(config, 'zero_optimization');
  const optimizer = objectAt(zero, 'offload_optimizer');
  switch (superOffload) {
    case 'key':
      return optimizer['super_offload'] === true;
    case 'implied':
      return zero['stage'] === 3 && optimizer['device'] === 'cpu';
    case 'absent':
      return false;
  }
}

/** A section of a DeepSpeed JSON; empty where there is none. */
export function objectAt(config: JsonObject, key: string): JsonObject {
  const value = config[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
