import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Found } from '../../core/patches/decide.ts';
import { withFileErrors } from '../files.ts';

/** What git calls a file's content: sha1 over `blob <bytes>\0` and the content. */
export function blobId(bytes: Buffer): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

export function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Looks at paths of a tree; none is followed through a symbolic link. */
export async function readTree(tree: string, paths: readonly string[]): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const path of paths) found.set(path, await readTreeFile(tree, path));
  return found;
}

/** @throws SuperOffloadError 'environment' where a file cannot be read. */
export async function readTreeFile(tree: string, path: string): Promise<Found> {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const part = parts.slice(0, depth).join('/');
    const isLast = depth === parts.length;
    const stats = await lstatOrNull(join(tree, part));
    if (stats === null) return { kind: 'absent' };
    if (stats.isSymbolicLink()) {
      const why = isLast ? 'it is a symbolic link' : `it lies behind the symbolic link ${part}`;
      return { kind: 'blocked', why };
    }
    if (!isLast && !stats.isDirectory()) return { kind: 'blocked', why: `${part} is not a folder` };
    if (!isLast) continue;
    if (!stats.isFile()) return { kind: 'blocked', why: 'it is not a plain file' };
    const place = join(tree, path);
    const bytes = await withFileErrors(place, () => readFile(place));
    // Read as latin1, every byte stays itself.
    const lf = Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    return { kind: 'file', blob: blobId(bytes), lfBlob: blobId(lf), mode: stats.mode & 0o7777 };
  }
  return { kind: 'absent' };
}

async function lstatOrNull(place: string) {
  try {
    return await lstat(place);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    return withFileErrors(place, () => Promise.reject(error as Error));
  }
}

/**
 * Bytecode that Python would run without a look at its source: a pyc with the flags "hash-based, unchecked" (PEP 552,
 * the second 4 bytes). All others hold the source's time and size, or are compared with it.
 * @returns paths in the tree.
 */
export async function uncheckedBytecode(tree: string, path: string): Promise<string[]> {
  const unchecked: string[] = [];
  for (const each of await bytecodeOf(tree, path)) {
    const head = await readFile(join(tree, each)).catch(() => Buffer.alloc(0));
    if (head.length >= 8 && head.readUInt32LE(4) === 1) unchecked.push(each);
  }
  return unchecked;
}

/** @returns the compiled forms of a Python source, of every Python version, as paths in the tree. */
export async function bytecodeOf(tree: string, path: string): Promise<string[]> {
  if (!path.endsWith('.py')) return [];
  const folder = join(dirname(path), '__pycache__');
  const names = await readdir(join(tree, folder)).catch(() => []);
  const stem = `${basename(path, '.py')}.`;
  return names
    .filter((name) => name.startsWith(stem) && name.endsWith('.pyc'))
    .filter((name) => !name.slice(stem.length, -'.pyc'.length).includes('/'))
    .map((name) => join(folder, name));
}
