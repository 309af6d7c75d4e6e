import { join } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { openJournalFile } from './journal-file.ts';
import { tryMutex } from './stack/mutex.ts';

/** One line of an A/B's journal. */
export type AbEvent =
  | { readonly type: 'begin'; readonly utc: string; readonly base: string; readonly head: string }
  /** Written before the run is started: a killed tool loses none. */
  | { readonly type: 'launch'; readonly utc: string; readonly side: 'base' | 'head'; readonly runId: string }
  | { readonly type: 'end'; readonly utc: string; readonly stopped: string };

/** The journal of one A/B, held by one tool at a time. */
export interface AbJournal {
  readonly path: string;
  /** Launches of a comparison that was not ended, oldest first; none where there is nothing to go on with. */
  readonly open: readonly Extract<AbEvent, { readonly type: 'launch' }>[];
  /** On the disk when it returns. @throws SuperOffloadError 'environment' on a full disk. */
  readonly append: (event: AbEvent) => void;
  readonly close: () => Promise<void>;
}

/** @param key hexadecimal, of what the two sides are. */
function abJournalPath(home: string, key: string): string {
  return join(home, 'gate', `${key}.ndjson`);
}

/**
 * Opens the journal of an A/B for writing.
 * @throws SuperOffloadError 'usage' where another tool runs the same A/B; 'environment' where it cannot be written.
 */
export async function openAbJournal(home: string, key: string): Promise<AbJournal> {
  const path = abJournalPath(home, key);
  const mutex = await tryMutex(`${path}.lock`);
  if ('heldBy' in mutex) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `this A/B is run by another superoffload${mutex.heldBy === 0 ? '' : ` (pid ${mutex.heldBy})`}`,
      hint: 'wait for it, or end it',
    });
  }
  try {
    const file = await openJournalFile(path);
    return {
      path,
      open: openLaunches(file.text),
      append: file.append,
      close: async () => {
        file.close();
        await mutex.release();
      },
    };
  } catch (error) {
    await mutex.release();
    throw error;
  }
}

function openLaunches(text: string): AbJournal['open'] {
  const events = text.split('\n').flatMap((line) => parseLine(line) ?? []);
  const ended = events.findLastIndex(({ type }) => type === 'end');
  return events.slice(ended + 1).flatMap((event) => (event.type === 'launch' ? [event] : []));
}

/** A line that a crash cut says nothing. */
function parseLine(line: string): AbEvent | null {
  try {
    const value = JSON.parse(line) as Partial<AbEvent> | null;
    return typeof value?.type === 'string' ? (value as AbEvent) : null;
  } catch {
    return null;
  }
}
