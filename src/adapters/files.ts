import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseJson as parseJsonText } from '../core/json/json-text.ts';
import { faultsError, SuperOffloadError } from '../errors.ts';

/**
 * Writes JSON so that a reader sees the old file or the new one, never half of it, even after a power cut:
 * temporary file beside it, fsync, rename. The folder is made when it is absent.
 * @throws SuperOffloadError 'environment' on a full disk or a read-only folder.
 */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeTextAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** As {@link writeJsonAtomic}, for any text, or bytes. */
export async function writeTextAtomic(path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw storageError(error, path);
  }
}

/**
 * Makes a folder and those above it, one level at a time: Node's own recursive mkdir never ends where the kernel
 * says ENOENT for a folder that it will not have made, as below /proc.
 * @throws the system's error; see {@link storageError}.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path && !(await isFolder(dirname(path)))) {
      await makeFolder(dirname(path));
      await mkdir(path).catch((again: unknown) => rethrowUnlessFolder(path, again));
    } else await rethrowUnlessFolder(path, error);
  }
}

/** Somebody else made it: what was wanted is there. */
async function rethrowUnlessFolder(path: string, error: unknown): Promise<void> {
  if (!(await isFolder(path))) throw error;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * Reads JSON.
 * @returns undefined when the file does not exist.
 * @throws SuperOffloadError 'config' with line and column of every fault; 'environment' when it cannot be read.
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storageError(error, path);
  }
  return parseJson(text, path);
}

/** @throws SuperOffloadError 'config' with every fault as `place:line:column`; a key that is there twice is one. */
export function parseJson(text: string, place: string): unknown {
  const result = parseJsonText(text, place);
  if (result.ok) return result.value;
  const faults = result.faults.map((fault) => ({ ...fault, problem: `not valid JSON: ${fault.problem}` }));
  throw faultsError('config', faults);
}

const storageReasons: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  ENOSPC: ['the disk is full', 'free space, or set SUPEROFFLOAD_HOME to a folder on another disk'],
  EDQUOT: ['the disk quota is used up', 'free space, or set SUPEROFFLOAD_HOME to a folder on another disk'],
  EROFS: ['the file system is read-only', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EACCES: ['permission denied', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EPERM: ['permission denied', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EEXIST: ['a part of the path is not a folder', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  ENOTDIR: ['a part of the path is not a folder', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  ENOENT: ['it is not there and cannot be made', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EISDIR: ['it is a folder, not a file', 'name the file itself'],
  ENAMETOOLONG: ['the path or a part of it is too long', 'set SUPEROFFLOAD_HOME to a shorter path'],
  ELOOP: ['its symbolic links lead in a circle', 'set SUPEROFFLOAD_HOME to another folder'],
};

/** Runs file operations below `path`; a full disk or a read-only folder becomes an expected error. */
export async function withFileErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error, path);
  }
}

/** Turns a failed file operation into an expected error; anything unforeseen is returned as it came. */
export function storageError(error: unknown, path: string): unknown {
  const known = storageReasons[(error as NodeJS.ErrnoException).code ?? ''];
  if (known === undefined) return error;
  return new SuperOffloadError({
    code: 'environment',
    message: `cannot use ${path}: ${known[0]}`,
    hint: known[1],
    cause: error,
  });
}
