import { chmod, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Found } from '../../core/patches/decide.ts';
import { SuperOffloadError } from '../../errors.ts';
import { makeFolder, readJson, storageError, withFileErrors, writeJsonAtomic } from '../files.ts';
import type { PatchPlaces, PatchRecord } from './record.ts';
import { bytecodeOf, readTreeFile } from './tree-files.ts';

/** One file of an operation, by blob id; null: no file. */
export interface Entry {
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** All that is needed to complete an operation, or to undo it. Its images are complete before it is written. */
export interface Journal {
  readonly schemaVersion: 1;
  /** Folder with `before/<path>` and `after/<path>`. */
  readonly operation: string;
  readonly entries: readonly Entry[];
  /** Folders that the operation makes, from the top down. */
  readonly makes: readonly string[];
  /** Folders of an earlier operation to remove where nothing is left in them. */
  readonly drops: readonly string[];
  /** What the tree is afterwards; null: as the upstream made it. */
  readonly record: PatchRecord | null;
}

export type OnStep = (line: string) => void;

/** Writes the journal and carries it out. On a failure the tree is as it was, and so is what lies beside it. */
export async function carryOut(places: PatchPlaces, journal: Journal, onStep: OnStep): Promise<void> {
  onStep('the patched files are ready');
  await writeJsonAtomic(places.journal, journal);
  onStep('the journal is written');
  try {
    await complete(places, journal, onStep);
  } catch (error) {
    await undo(places, journal);
    throw error;
  }
  await finish(places, journal, onStep);
}

/** Ends what a killed process left: an operation with a journal is completed, or undone where that cannot be. */
export async function recover(places: PatchPlaces, onStep: OnStep): Promise<void> {
  const journal = (await readJson(places.journal)) as Journal | undefined;
  if (journal === undefined) return;
  try {
    await complete(places, journal, onStep);
  } catch {
    // Whatever is in the way is named by the operation that comes now, against a tree in a known state.
    await undo(places, journal);
    return;
  }
  await finish(places, journal, onStep);
}

/** Every step may have been done before: what has its new content is left alone. */
async function complete({ tree, folder }: PatchPlaces, journal: Journal, onStep: OnStep): Promise<void> {
  for (const { path, from, to } of journal.entries) {
    const place = join(tree, path);
    const found = blobOf(await readTreeFile(tree, path));
    if (found === to) continue;
    if (found !== from) throw changedMeanwhile(place, from, found);
    await withFileErrors(place, async () => {
      if (to === null) {
        await rm(place);
        for (const each of await bytecodeOf(tree, path)) await rm(join(tree, each), { force: true });
      } else {
        await makeFolder(dirname(place));
        // A new file under the old name: another hard link to the old one keeps its content.
        await rename(join(folder, journal.operation, 'after', path), place).catch((error: unknown) => {
          throw onOtherDisk(error, place);
        });
      }
    });
    onStep(`${to === null ? 'removed' : 'wrote'} ${path}`);
  }
}

function onOtherDisk(error: unknown, place: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EXDEV') return error;
  return new SuperOffloadError({
    ...{
      code: 'environment',
      message: `${place} lies on another disk than the rest of its tree`,
      cause: error,
    },
    hint: 'a tree that is patched must lie on one disk',
  });
}

function changedMeanwhile(place: string, expected: string | null, found: string | null): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${place} was changed while it was being patched: expected ${expected ?? 'no file'}, found ${found ?? 'no file'}`,
    hint: 'keep the change elsewhere, put the file back, and run the command again',
  });
}

/** Puts back what an operation had written; what somebody else wrote meanwhile stays. */
async function undo({ tree, folder, journal: journalPlace }: PatchPlaces, journal: Journal): Promise<void> {
  const operation = join(folder, journal.operation);
  for (const { path, from, to } of [...journal.entries].reverse()) {
    const place = join(tree, path);
    const found = await readTreeFile(tree, path);
    if (blobOf(found) !== to || from === to) continue;
    if (from === null) await rm(place, { force: true });
    else {
      await makeFolder(dirname(place));
      await rename(join(operation, 'before', path), place);
    }
  }
  await removeFolders(tree, journal.makes);
  await rm(journalPlace, { force: true });
  await rm(operation, { recursive: true, force: true });
  await rmdir(folder).catch(() => undefined);
}

async function finish(places: PatchPlaces, journal: Journal, onStep: OnStep): Promise<void> {
  await removeFolders(places.tree, journal.drops);
  if (journal.record === null) await rm(places.record, { force: true });
  else await writeJsonAtomic(places.record, journal.record);
  onStep('the record is written');
  await rm(places.journal, { force: true });
  onStep('the journal is removed');
}

/** Removes those that are empty but for Python's caches of what was there: an empty folder is a package to Python. */
async function removeFolders(tree: string, folders: readonly string[]): Promise<void> {
  for (const folder of [...folders].reverse()) {
    await rmdir(join(tree, folder, '__pycache__')).catch(() => undefined);
    await rmdir(join(tree, folder)).catch(() => undefined);
  }
}

/** Writes a file that survives a power cut, with exactly this mode. */
export async function writeImage(place: string, bytes: Buffer, mode: number): Promise<void> {
  try {
    await makeFolder(dirname(place));
    const file = await open(place, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(place, mode);
  } catch (error) {
    throw storageError(error, place);
  }
}

/** @returns the missing folders above a path, from the top down. */
export async function missingFolders(tree: string, path: string): Promise<string[]> {
  const parts = path.split('/').slice(0, -1);
  const missing: string[] = [];
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const folder = parts.slice(0, depth).join('/');
    if ((await readTreeFile(tree, folder)).kind === 'absent') missing.push(folder);
  }
  return missing;
}

/** What is no plain file is never taken for "no file": nothing may be written there. */
function blobOf(found: Found): string | null {
  if (found.kind === 'blocked') return found.why;
  return found.kind === 'file' ? found.blob : null;
}
