import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stackPaths } from '../../adapters/stack/store.ts';
import { archivedLock } from '../../core/archive/manifest.ts';
import { hider } from '../../core/archive/redactor.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { jsonOrNull } from './archive-contents.ts';
import { itemOf, type ArchiveItem } from './archive-items.ts';

export interface ArchivedLocks {
  readonly items: readonly ArchiveItem[];
  /** Run id to the hash of the lock that is in the archive. */
  readonly ofRun: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/**
 * The locks of the stacks that runs used, each once: beside the run where it was imported, else of the stack that is
 * installed, where that is still the one that ran it.
 */
export async function archivedLocks(context: Context, found: readonly FoundRecord[]): Promise<ArchivedLocks> {
  const items = new Map<string, ArchiveItem>();
  const missing = new Map<string, number>();
  const ofRun = new Map<string, string>();
  for (const { record, folder } of found) {
    const { stack, runId, startedUtc } = record;
    if (stack === null || stack.name.includes('/') || !/^[0-9a-f]{8,64}$/.test(stack.hash)) continue;
    if (!items.has(stack.hash)) {
      const text = await lockText(context, stack, folder);
      if (text === null) {
        missing.set(stack.hash, (missing.get(stack.hash) ?? 0) + 1);
        continue;
      }
      const mtimeS = Math.floor(Date.parse(startedUtc) / 1000);
      items.set(stack.hash, itemOf(archivedLock(stack.hash), hider([])(text).text, mtimeS));
    }
    ofRun.set(runId, stack.hash);
  }
  const notes = [...missing].map(
    ([hash, count]) =>
      `the lock ${hash.slice(0, 12)} of ${count === 1 ? '1 run' : `${count} runs`} is not here any more: not in the archive`,
  );
  return { items: [...items.values()], ofRun, notes };
}

/** @returns the text of the lock with this hash; null where no place has it. */
async function lockText(
  { home }: Context,
  { name, hash }: { readonly name: string; readonly hash: string },
  folder: string | null,
): Promise<string | null> {
  const places = [...(folder === null ? [] : [join(folder, runFiles.lock)]), stackPaths(home, name).lock];
  for (const place of places) {
    const text = await readFile(place, 'utf8').catch(() => null);
    if (text !== null && (jsonOrNull(text) as { readonly hash?: unknown } | null)?.hash === hash) return text;
  }
  return null;
}
