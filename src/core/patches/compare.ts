/** Does a tree hold what the lock or the series says? */
import type { Found } from './decide.ts';
import type { PatchState } from './state.ts';

/** A difference between what a tree should hold and what it holds. */
export interface PatchDifference {
  readonly path: string;
  readonly problem: string;
  /** Blob id of a patched file, sha256 of an overlay file. */
  readonly expected: string | null;
  readonly found: string | null;
}

/** A path, and what verification may find there. */
export interface Expected {
  readonly path: string;
  readonly kind: 'patched' | 'overlay';
  /** Blob id for a patched file, sha256 for an overlay file. */
  readonly id: string;
  /** Blob id before patching, where known. */
  readonly upstream: string | null;
}

/** Every file that a recorded state speaks of. */
export function expectedOf(state: PatchState, upstream: ReadonlyMap<string, string | null>): Expected[] {
  return [
    ...state.files.map(({ path, blob }) => ({
      ...{ path, kind: 'patched' as const, id: blob },
      upstream: upstream.get(path) ?? null,
    })),
    ...state.overlay.map(({ path, sha256 }) => ({
      ...{ path, kind: 'overlay' as const, id: sha256, upstream: null },
    })),
  ];
}

/** Compares one file. `sha256` is that of the content that was found. */
export function compareFile(
  { path, kind, id, upstream }: Expected,
  found: Found,
  sha256: string | null,
): PatchDifference | null {
  const actual = found.kind !== 'file' ? null : kind === 'overlay' ? sha256 : found.blob;
  if (actual === id) return null;
  const difference = { path, expected: id, found: actual };
  if (found.kind === 'blocked') return { ...difference, problem: found.why };
  if (found.kind === 'absent') {
    return {
      ...difference,
      problem: kind === 'overlay' ? 'the overlay file is missing' : 'the file is missing',
    };
  }
  if (kind === 'overlay') return { ...difference, problem: 'the overlay file was changed' };
  const problem =
    actual === upstream ? 'the patch is missing: the file is as upstream' : 'the patched file was changed';
  return { ...difference, problem };
}

/** What a stack recorded and what the series of this superoffload asks for now. */
export function stateDifferences(recorded: PatchState, wanted: PatchState): PatchDifference[] {
  if (recorded.seriesSha256 === wanted.seriesSha256 && namesOf(recorded) === namesOf(wanted)) return [];
  const missing = wanted.applied.filter(
    ({ file, sha256 }) => !recorded.applied.some((one) => one.file === file && one.sha256 === sha256),
  );
  const problem =
    missing.length === 0
      ? 'the stack was patched with another series than the one at hand'
      : `the stack lacks ${missing.map(({ file }) => file).join(', ')} of the series at hand`;
  return [{ path: 'series.json', problem, expected: wanted.seriesSha256, found: recorded.seriesSha256 }];
}

function namesOf({ applied, overlay }: PatchState): string {
  return JSON.stringify([
    applied.map(({ file, sha256 }) => [file, sha256]),
    overlay.map(({ path, sha256 }) => [path, sha256]),
  ]);
}

/** How far one patch is in a tree: by the blob ids that its files have before and after the whole series. */
export function patchProgress(
  files: readonly { readonly upstream: string | null; readonly final: string; readonly found: Found }[],
): 'applied' | 'not applied' | 'changed' {
  const blob = (found: Found): string | null => (found.kind === 'file' ? found.blob : null);
  if (files.every(({ final, found }) => blob(found) === final)) return 'applied';
  return files.every(({ upstream, found }) => found.kind !== 'blocked' && blob(found) === upstream)
    ? 'not applied'
    : 'changed';
}
