import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { makeFolder, storageError } from './files.ts';
import { leftoversBeside, temporaryBeside } from './leftovers.ts';

/** Says that a folder is a report, and which files and folders in it are. */
export const reportMarker = 'report.json';

/** What `report.json` of any version has. */
interface Marker {
  readonly kind: 'superoffload-report';
  readonly names: readonly string[];
}

/** Where a report may be written. */
export interface ReportPlace {
  /** Absolute, links followed. */
  readonly path: string;
  readonly replaces: boolean;
}

/**
 * Looks at the folder that a report is wanted in.
 * @throws SuperOffloadError 'usage' where it holds something else, is no folder, or is one that somebody stands in.
 */
export async function reportPlace(path: string, cwd: string): Promise<ReportPlace> {
  const real = await realpath(path).catch(() => null);
  if (real === null) return { path, replaces: false };
  const here = await realpath(cwd);
  if (!relative(real, here).startsWith('..')) {
    throw refused(`${path} is the current folder, or holds it: a report is a folder of its own`);
  }
  const information = await stat(real);
  if (!information.isDirectory()) throw refused(`${path} is not a folder`);
  const names = await readdir(real).catch((error: unknown) => {
    throw storageError(error, path);
  });
  if (names.length === 0) return { path: real, replaces: false };
  const foreign = await foreignNames(real, names);
  if (foreign.length === 0) return { path: real, replaces: true };
  const list = foreign
    .slice(0, 5)
    .map((name) => JSON.stringify(name))
    .join(', ');
  throw refused(`${path} holds something else than a report: ${list}${foreign.length > 5 ? ', ...' : ''}`);
}

function refused(message: string): SuperOffloadError {
  return new SuperOffloadError({ code: 'usage', message, hint: 'name a new folder with --out' });
}

/** What of a folder no report wrote: all of it where it is none. A page that somebody laid beside ours counts too. */
async function foreignNames(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const ours = await ownNames(folder);
  if (ours === null) return names;
  const pages = ours.includes('runs') ? await readdir(join(folder, 'runs')).catch(() => []) : [];
  return [
    ...names.filter((name) => !ours.includes(name) || !possibleName.test(name)),
    ...pages.filter((name) => !name.endsWith('.html')).map((name) => `runs/${name}`),
  ];
}

/** A marker that came with somebody else's folder must not name what is the user's. */
const possibleName = /^(?:index\.html|runs|(?:report|runs)\.[a-z]{2,4})$/;

/** @returns null where the folder is no report of ours. */
async function ownNames(folder: string): Promise<readonly string[] | null> {
  try {
    const value = JSON.parse(await readFile(join(folder, reportMarker), 'utf8')) as Partial<Marker> | null;
    if (value?.kind !== 'superoffload-report' || !Array.isArray(value.names)) return null;
    return [reportMarker, ...(value.names as readonly string[])];
  } catch {
    return null;
  }
}

/** Takes one file of the report, by its name in it. */
export type WriteFile = (name: string, text: string) => Promise<void>;

/**
 * Writes a whole folder or nothing: it is filled beside its place, and takes that by its name at the end. An earlier
 * report is there until then. Files are not synced one by one: what a power cut takes is made again by the command.
 * @throws SuperOffloadError 'environment' on a full disk or where the folder cannot be replaced.
 * @returns bytes written.
 */
export async function writeReportFolder(
  { path, replaces }: ReportPlace,
  fill: (write: WriteFile) => Promise<void>,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const aside = temporaryBeside(path);
  const made = new Set<string>();
  const written = { files: 0, bytes: 0 };
  try {
    await makeFolder(aside);
    await fill(async (name, text) => {
      const folder = dirname(join(aside, name));
      if (!made.has(folder)) await mkdir(folder, { recursive: true });
      made.add(folder);
      const bytes = Buffer.from(text);
      await writeFile(join(aside, name), bytes);
      written.files += 1;
      written.bytes += bytes.length;
    });
    await swap(aside, path, replaces);
    return written;
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    throw mountPoint(error, path) ?? storageError(error, path);
  }
}

async function swap(aside: string, path: string, replaces: boolean): Promise<void> {
  if (!replaces) {
    // An empty folder is replaced by this; one that was filled meanwhile is not.
    await rename(aside, path);
    return;
  }
  const old = `${aside}.old`;
  await rename(path, old);
  try {
    // Somebody may have laid something in it while the new one was made.
    const foreign = await foreignNames(old, await readdir(old));
    if (foreign.length > 0)
      throw refused(`${path} got something else than a report: ${JSON.stringify(foreign[0])}`);
    await rename(aside, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/**
 * Puts an earlier report back in its place, where a command was killed between moving it away and the new one taking
 * that, and removes what else killed commands left.
 * @returns what may be somebody's who still writes.
 */
export async function tidyReport(path: string): Promise<readonly string[]> {
  const { abandoned, unknown } = await leftoversBeside(path);
  for (const each of abandoned.toReversed()) {
    // Fails where the place is taken: then the new one came there.
    const isBack =
      each.endsWith('.old') &&
      (await rename(each, path).then(
        () => true,
        () => false,
      ));
    if (!isBack) await rm(each, { recursive: true, force: true }).catch(() => undefined);
  }
  return unknown;
}

function mountPoint(error: unknown, path: string): SuperOffloadError | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['EBUSY', 'EXDEV', 'ENOTEMPTY'].includes(code)) return undefined;
  const why = code === 'ENOTEMPTY' ? 'it was filled by somebody else meanwhile' : 'it is a mount point';
  return new SuperOffloadError({
    code: 'environment',
    message: `cannot replace ${path}: ${why}`,
    hint: 'name a new folder in it with --out',
    cause: error,
  });
}
