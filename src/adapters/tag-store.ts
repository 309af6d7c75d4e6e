import { refuseNewer } from '../core/json/schema-version.ts';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { readJson, withFileErrors, writeJsonAtomic } from './files.ts';

/** The newest tag file that this version reads and writes. */
const knownVersion = 1;

/** A name for some runs of a state folder. */
export interface Tag {
  readonly schemaVersion: 1;
  readonly name: string;
  /** In the order in which they were given. */
  readonly runIds: readonly string[];
  readonly writtenUtc: string;
}

const suffix = '.json';

function tagsFolder(home: string): string {
  return join(home, 'tags');
}

/** A file a tag: two commands that tag at the same time do not undo each other. */
function tagPath(home: string, name: string): string {
  return join(tagsFolder(home), `${name}${suffix}`);
}

/** @returns the names of all tags, in order. */
export async function listTags(home: string): Promise<string[]> {
  const names = await readdir(tagsFolder(home)).catch(() => []);
  return names
    .filter((name) => name.endsWith(suffix) && !name.startsWith('.'))
    .map((name) => name.slice(0, -suffix.length))
    .sort();
}

/**
 * @param name a valid one (core/results/tag-name.ts).
 * @returns undefined where there is no such tag.
 * @throws SuperOffloadError 'config' when it is damaged, or a newer version of the tool wrote it.
 */
export async function readTag(home: string, name: string): Promise<Tag | undefined> {
  const path = tagPath(home, name);
  const value = await readJson(path);
  if (value === undefined) return undefined;
  const { schemaVersion, runIds } = (value ?? {}) as Partial<Record<keyof Tag, unknown>>;
  refuseNewer(path, schemaVersion, knownVersion);
  const isGood = Array.isArray(runIds) && runIds.every((id) => typeof id === 'string');
  if (schemaVersion !== knownVersion || !isGood) {
    throw new SuperOffloadError({
      code: 'config',
      message: `${path}: not a tag that superoffload wrote`,
      hint: `its runs are all kept: write it again with \`superoffload runs tag ${name} RUN...\``,
    });
  }
  return value as Tag;
}

/** @throws SuperOffloadError 'environment' on a full or read-only disk. */
export async function writeTag(home: string, tag: Tag): Promise<void> {
  await writeJsonAtomic(tagPath(home, tag.name), tag);
}

export async function removeTag(home: string, name: string): Promise<void> {
  const path = tagPath(home, name);
  await withFileErrors(path, () => rm(path));
}
