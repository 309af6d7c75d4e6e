import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RecordedFile } from '../../core/patches/decide.ts';
import type { PatchState } from '../../core/patches/state.ts';
import { SuperOffloadError } from '../../errors.ts';
import { readJson } from '../files.ts';

/** What was done to a tree, and where its own content is kept. Written last; lies beside the tree. */
export interface PatchRecord {
  readonly schemaVersion: 1;
  /** The folder of the operation whose `upstream` holds the pre-images. */
  readonly backup: string;
  readonly state: PatchState;
  /** Every file that was changed or added. */
  readonly files: readonly RecordedFile[];
  /** Folders that were made in the tree, from the top down. */
  readonly folders: readonly string[];
}

/** A tree and what lies beside it: beside, so that a rename into the tree never crosses a disk. */
export interface PatchPlaces {
  readonly tree: string;
  readonly folder: string;
  readonly record: string;
  /** Its presence means: an operation is under way, or was killed. */
  readonly journal: string;
  /** mkdir of this is the right to change the tree. Outside the folder, which goes when the tree is reverted. */
  readonly mutex: string;
}

/** @throws SuperOffloadError 'environment' where there is no such tree. */
export function patchPlaces(given: string): PatchPlaces {
  let tree: string;
  try {
    tree = realpathSync(given);
  } catch (cause) {
    const hint = 'run: superoffload install --reinstall';
    throw new SuperOffloadError({ code: 'environment', message: `there is no ${given}`, hint, cause });
  }
  const folder = join(dirname(tree), `.${basename(tree)}.patches`);
  return {
    ...{ tree, folder, mutex: `${folder}.lock` },
    ...{ record: join(folder, 'record.json'), journal: join(folder, 'journal.json') },
  };
}

/** @returns undefined for a tree that nothing was applied to. */
export async function readRecord({ record }: PatchPlaces): Promise<PatchRecord | undefined> {
  const value = (await readJson(record)) as Partial<PatchRecord> | undefined;
  if (value === undefined) return undefined;
  if (value.schemaVersion === 1 && Array.isArray(value.files)) return value as PatchRecord;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${record} is not a record of this superoffload`,
    hint: 'use the superoffload that patched the tree, or run: superoffload install --reinstall',
  });
}
