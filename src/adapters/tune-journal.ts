import { join } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { openJournalFile } from './journal-file.ts';
import { tryMutex } from './stack/mutex.ts';

/** One line of a tuning's journal. */
export type TuneEvent =
  /** From here on its trials count, and none of before. */
  | { readonly type: 'begin'; readonly utc: string }
  /** Written before the run is started: a killed tool loses none. `key` is the candidate's (core/tune). */
  | { readonly type: 'trial'; readonly utc: string; readonly key: string; readonly runId: string }
  | { readonly type: 'end'; readonly utc: string; readonly why: string };

export type TrialEvent = Extract<TuneEvent, { readonly type: 'trial' }>;

/** The journal of one tuning, held by one tool at a time. */
export interface TuneJournal {
  readonly path: string;
  /** Trials of a tuning that was not ended, oldest first; null where there is none to go on with. */
  readonly open: readonly TrialEvent[] | null;
  /** On the disk when it returns. @throws SuperOffloadError 'environment' on a full disk. */
  readonly append: (event: TuneEvent) => void;
  readonly close: () => Promise<void>;
}

/**
 * Opens the journal of a tuning for writing.
 * @param key hexadecimal, of what is tuned
 * @throws SuperOffloadError 'usage' where another tool tunes the same; 'environment' where it cannot be written.
 */
export async function openTuneJournal(home: string, key: string): Promise<TuneJournal> {
  const path = join(home, 'tunes', `${key}.ndjson`);
  const mutex = await tryMutex(`${path}.lock`);
  if ('heldBy' in mutex) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `the same is being tuned by another superoffload${mutex.heldBy === 0 ? '' : ` (pid ${mutex.heldBy})`}`,
      hint: 'wait for it, or end it',
    });
  }
  try {
    const file = await openJournalFile(path);
    return {
      path,
      open: openTrials(file.text),
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

function openTrials(text: string): TuneJournal['open'] {
  const events = text.split('\n').flatMap((line) => parseLine(line) ?? []);
  const begun = events.findLastIndex(({ type }) => type === 'begin');
  const last = events.slice(begun);
  if (begun === -1 || last.some(({ type }) => type === 'end')) return null;
  return last.flatMap((event) => (event.type === 'trial' ? [event] : []));
}

/** A line that a crash cut says nothing. */
function parseLine(line: string): TuneEvent | null {
  try {
    const value = JSON.parse(line) as Partial<TuneEvent> | null;
    return typeof value?.type === 'string' ? (value as TuneEvent) : null;
  } catch {
    return null;
  }
}
