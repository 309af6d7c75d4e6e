import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperOffloadError } from '../../errors.ts';
import { readJson, writeJsonAtomic } from '../files.ts';
import { GitError, openGit } from '../git.ts';
import type { FetchContext } from './remote.ts';
import { workTreeState } from './work-tree.ts';

/** `.git/superoffload.json` of a tree of ours: a folder without it is somebody else's. */
export interface Marker {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly url: string;
  readonly ref: string;
  readonly commit: string;
  readonly dirtyDiffSha256: string | null;
  /** Of the tree's own diff as it was left: another one now means that somebody has patched or edited it. */
  readonly leftDiffSha256: string | null;
}

/**
 * Reads what a tree of ours is.
 * @returns null where there is nothing, or an empty folder.
 * @throws SuperOffloadError 'environment' for a folder that is not ours: it is never overwritten.
 */
export async function readMarker(directory: string, name: string): Promise<Marker | null> {
  const entries = await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length === 0) return null;
  const marker = await readJson(markerPath(directory)).catch(() => undefined);
  if (isMarker(marker) && marker.name === name) return marker;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${directory}: there is something else already, no source tree of ${name} made by this tool`,
    hint: 'Move it away, then try again. It is left as it is.',
  });
}

export async function writeMarker(directory: string, marker: Marker): Promise<void> {
  await writeJsonAtomic(markerPath(directory), marker);
}

/** Whether nobody has patched, edited, committed or added anything since the tree was left. */
export async function isAsLeft(
  directory: string,
  marker: Marker,
  diffFile: string,
  ctx: FetchContext,
): Promise<boolean> {
  try {
    const state = await workTreeState(await openGit(directory, ctx), diffFile);
    const isSame = state.head === marker.commit && state.diffSha256 === marker.leftDiffSha256;
    return isSame && state.untracked.length === 0;
  } catch (error) {
    // A tree of ours whose repository is damaged is made anew.
    if (error instanceof GitError) return false;
    throw error;
  }
}

function markerPath(directory: string): string {
  return join(directory, '.git', 'superoffload.json');
}

function isMarker(value: unknown): value is Marker {
  if (typeof value !== 'object' || value === null) return false;
  const { schemaVersion, name, commit } = value as Partial<Record<keyof Marker, unknown>>;
  return schemaVersion === 1 && typeof name === 'string' && typeof commit === 'string';
}
