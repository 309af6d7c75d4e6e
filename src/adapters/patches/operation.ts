import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedFile } from '../../core/patches/decide.ts';
import { SuperOffloadError } from '../../errors.ts';
import { withFileErrors } from '../files.ts';
import type { Image } from './images.ts';
import { missingFolders, writeImage } from './journal.ts';
import type { Entry } from './journal.ts';
import type { PatchPlaces, PatchRecord } from './record.ts';
import { blobId } from './tree-files.ts';

export interface Operation {
  readonly name: string;
  readonly folder: string;
}

/**
 * Gives the work a folder of its own beside the tree. It goes again when the work fails, unless a journal still
 * needs it.
 */
export async function inOperation<T>(
  places: PatchPlaces,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const name = `operation-${randomBytes(4).toString('hex')}`;
  const folder = join(places.folder, name);
  try {
    return await work({ name, folder });
  } catch (error) {
    if (!existsSync(places.journal)) {
      await rm(folder, { recursive: true, force: true });
      await rmdir(places.folder).catch(() => undefined);
    }
    throw error;
  }
}

/**
 * The upstream's content of every planned file: from the tree, or from what was kept when it was patched.
 * @throws SuperOffloadError 'environment' where it is not kept any more, or was changed.
 */
export async function basesOf(
  { tree, folder }: PatchPlaces,
  record: PatchRecord | undefined,
  files: readonly PlannedFile[],
): Promise<Map<string, Image>> {
  const bases = new Map<string, Image>();
  for (const { path, base, upstream } of files) {
    if (base === 'none') continue;
    const place = base === 'tree' ? join(tree, path) : join(folder, record?.backup ?? '', 'upstream', path);
    const image = await readImage(place).catch(() => null);
    if (image === null || blobId(image.bytes) !== upstream) throw lostBase(place, upstream, image);
    bases.set(path, image);
  }
  return bases;
}

function lostBase(place: string, expected: string | null, image: Image | null): SuperOffloadError {
  const found = image === null ? 'nothing' : `blob ${blobId(image.bytes)}`;
  return new SuperOffloadError({
    code: 'environment',
    message: `${place}: the upstream's content is needed here: expected blob ${expected ?? 'none'}, found ${found}`,
    hint: 'run: superoffload install --reinstall',
  });
}

async function readImage(place: string): Promise<Image> {
  const stats = await lstat(place);
  return { bytes: await readFile(place), mode: stats.mode & 0o7777 };
}

/** Writes what is there and what shall be there into the operation's folder. @returns what really changes. */
export async function stage(
  tree: string,
  { folder }: Operation,
  files: readonly PlannedFile[],
  imageOf: (path: string) => Image | undefined,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const { path, from, to } of files) {
    if (from === to) continue;
    if (from !== null) {
      const before = await withFileErrors(join(tree, path), () => readImage(join(tree, path)));
      await writeImage(join(folder, 'before', path), before.bytes, before.mode);
    }
    if (to !== null) {
      const after = imageOf(path);
      if (after === undefined || blobId(after.bytes) !== to) throw new Error(`no image of ${path}`);
      await writeImage(join(folder, 'after', path), after.bytes, after.mode);
    }
    entries.push({ path, from, to });
  }
  return entries;
}

/** @returns the folders that the entries make in the tree, from the top down. */
export async function foldersMade(tree: string, entries: readonly Entry[]): Promise<string[]> {
  const made = new Set<string>();
  for (const { path, to } of entries) {
    if (to === null) continue;
    for (const folder of await missingFolders(tree, path)) made.add(folder);
  }
  return [...made].sort();
}
