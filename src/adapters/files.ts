import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lineAndColumn, syntaxErrorIndex } from '../core/json/syntax.ts';
import { SuperOffloadError } from '../errors.ts';

/**
 * Writes JSON so that a reader sees the old file or the new one, never half of it, even after a power cut:
 * temporary file beside it, fsync, rename. The folder is made when it is absent.
 * @throws SuperOffloadError 'environment' on a full disk or a read-only folder.
 */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeTextAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** As {@link writeJsonAtomic}, for any text. */
export async function writeTextAtomic(path: string, text: string, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(dirname(path), { recursive: true });
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
 * Reads JSON.
 * @returns undefined when the file does not exist.
 * @throws SuperOffloadError 'config' with line and column of a syntax error; 'environment' when it cannot be read.
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

/** @throws SuperOffloadError 'config' that names `place:line:column`. */
export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SuperOffloadError({
      code: 'config',
      message: `${place}:${lineAndColumn(text, syntaxErrorIndex(text) ?? text.length)}: not valid JSON: ${reason(error)}`,
      cause: error,
    });
  }
}

/** V8's reason without the excerpt and place, which come in a form that differs between Node versions. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(/, \.{0,3}"| in JSON| at position|\n/)[0] ?? message;
}

const storageReasons: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  ENOSPC: ['the disk is full', 'free space, or set SUPEROFFLOAD_HOME to a folder on another disk'],
  EDQUOT: ['the disk quota is used up', 'free space, or set SUPEROFFLOAD_HOME to a folder on another disk'],
  EROFS: ['the file system is read-only', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EACCES: ['permission denied', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EPERM: ['permission denied', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  EEXIST: ['a part of the path is not a folder', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
  ENOTDIR: ['a part of the path is not a folder', 'set SUPEROFFLOAD_HOME to a folder that you may write to'],
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
