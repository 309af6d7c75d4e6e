import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { makeFolder, storageError } from './files.ts';

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
  const ours = await ownNames(real);
  const foreign = ours === null ? names : names.filter((name) => !ours.includes(name));
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
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
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
  await rename(aside, path).catch(async (error: unknown) => {
    await rename(old, path);
    throw error;
  });
  await rm(old, { recursive: true, force: true });
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
