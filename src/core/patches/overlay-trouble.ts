import type { StackLock } from '../stack/lock.ts';
import { knownVersions, listsUpstream, selectPatches } from './series.ts';
import type { SeriesFile } from './series.schema.ts';

/** Why a stack does not have what the section `superoffload` of a DeepSpeed JSON asks for, and what mends it. */
export interface OverlayTrouble {
  readonly message: string;
  readonly hint: string;
}

const needs = 'prism_overlap, and all else of the section "superoffload", needs a patched DeepSpeed, which';

type Stack = Pick<StackLock, 'name' | 'origin' | 'torch' | 'deepspeed' | 'upstreams' | 'apex'>;

/**
 * Has a stack this superoffload's own overlay and patches of DeepSpeed? DeepSpeed without them ignores the section,
 * and another version of them may read it otherwise: both would run something else than the case is called.
 * @param series of DeepSpeed, as this superoffload has it.
 */
export function overlayTrouble(stack: Stack, series: SeriesFile): OverlayTrouble | null {
  const { name, origin, deepspeed } = stack;
  const lacks = (why: string, hint: string): OverlayTrouble => ({
    message: `${needs} stack ${JSON.stringify(name)} does not have: ${why}`,
    hint,
  });
  const upstream = stack.upstreams.deepspeed;
  const install = 'superoffload install --stack';
  if ((upstream?.commit ?? null) !== null) {
    const why = 'its DeepSpeed comes from a repository, and the patches are for the package of the index';
    const version = series.versions?.at(-1) ?? '';
    return lacks(why, `use --stack pip (run: ${install} pip), which has DeepSpeed ${version}`);
  }
  const facts = { commit: null, version: deepspeed.version, deepspeed: deepspeed.version };
  const whole = { ...facts, torch: stack.torch.version, apex: stack.apex?.kind ?? null };
  if (!listsUpstream(series, whole)) {
    const why = `its DeepSpeed is ${deepspeed.version}, and the patches are for ${knownVersions(series)}`;
    return lacks(why, `run: ${install} ${name} --deepspeed ${series.versions?.at(-1) ?? ''} --reinstall`);
  }
  const patches = upstream?.patches ?? null;
  if (upstream === undefined && origin !== 'private') {
    const why = 'its DeepSpeed is that of the adopted Python, which is left as it is';
    return lacks(why, `run: ${install} ${name} --reinstall, without --python`);
  }
  const patch =
    upstream === undefined ? `${install} ${name} --reinstall` : `superoffload patch --stack ${name}`;
  if (patches === null) return lacks('the patches are not applied', `run: ${patch}`);
  const selected = selectPatches(series, whole, 'series.json');
  const wanted = selected.ok ? selected.selection : { patches: [], overlay: [] };
  const isSame =
    idsOf(patches.overlay.map(({ path, sha256 }) => [path, sha256])) ===
      idsOf(wanted.overlay.map(({ path, sha256 }) => [path, sha256])) &&
    idsOf(patches.applied.map(({ file, sha256 }) => [file, sha256])) ===
      idsOf(wanted.patches.map(({ file, sha256 }) => [file, sha256]));
  return isSame ? null : lacks('its patches are those of another superoffload', `run: ${patch}`);
}

function idsOf(pairs: readonly (readonly [string, string])[]): string {
  return JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
}
