import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFiles } from '../../core/results/run-files.ts';
import { stackPaths } from './store.ts';

interface NamedLock {
  readonly name: string;
  readonly hash: string;
}

/**
 * Finds the lock that a run used: in the run's own folder, else that of the stack which is installed, where it is still
 * the same.
 * @param folder of the run, where it has one
 * @returns the text of the lock with this hash; null where no place has it.
 */
export async function lockText(
  home: string,
  { name, hash }: NamedLock,
  folder: string | null = null,
): Promise<string | null> {
  // A stack that is named by a path is of somebody else's, without a lock.
  if (name.includes('/')) return null;
  const places = [...(folder === null ? [] : [join(folder, runFiles.lock)]), stackPaths(home, name).lock];
  for (const place of places) {
    const text = await readFile(place, 'utf8').catch(() => null);
    if (text !== null && hashOf(text) === hash) return text;
  }
  return null;
}

function hashOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly hash?: unknown } | null)?.hash;
  } catch {
    return null;
  }
}
