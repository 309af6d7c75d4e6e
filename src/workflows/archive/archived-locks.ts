import { lockText } from '../../adapters/stack/lock-text.ts';
import { archivedLock } from '../../core/archive/manifest.ts';
import { hider } from '../../core/archive/redactor.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import type { Context } from '../context.ts';
import { itemOf, type ArchiveItem } from './archive-items.ts';

export interface ArchivedLocks {
  readonly items: readonly ArchiveItem[];
  /** Run id to the hash of the lock that is in the archive. */
  readonly ofRun: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/**
 * The locks of the stacks that runs used, each once: the run's own, else of the stack that is installed, where
 * that is still the one that ran it.
 */
export async function archivedLocks(context: Context, found: readonly FoundRecord[]): Promise<ArchivedLocks> {
  const used = found.filter(({ record: { stack } }) => stack !== null && /^[0-9a-f]{8,64}$/.test(stack.hash));
  const texts = new Map<string, string>();
  for (const { record, folder } of used) {
    const { stack } = record;
    if (stack === null || texts.has(stack.hash)) continue;
    const text = await lockText(context.home, stack, folder);
    if (text !== null) texts.set(stack.hash, hider([])(text).text);
  }
  const items = new Map<string, ArchiveItem>();
  const ofRun = new Map<string, string>();
  for (const { stack, runId, startedUtc } of used.map(({ record }) => record)) {
    const text = texts.get(stack?.hash ?? '');
    if (stack === null || text === undefined) continue;
    // Of the oldest of its runs, whichever of them has it: the same runs give the same bytes.
    const mtimeS = Math.floor(Date.parse(startedUtc) / 1000);
    if (!items.has(stack.hash)) items.set(stack.hash, itemOf(archivedLock(stack.hash), text, mtimeS));
    ofRun.set(runId, stack.hash);
  }
  const missing = used.filter(({ record }) => !ofRun.has(record.runId)).length;
  return { items: [...items.values()], ofRun, notes: missing === 0 ? [] : [missingNote(missing)] };
}

/** One line: what is lacking, why, and what gives it. */
function missingNote(runs: number): string {
  const which = runs === 1 ? '1 run has no lock in the archive' : `${runs} runs have no lock in the archive`;
  return `${which}, as the stack was installed anew or removed since: where its packages matter, run them again (superoffload runs replay); a run now keeps its lock`;
}
