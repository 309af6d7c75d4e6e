import { join } from 'node:path';
import { openHeldJournal, type HeldJournal } from './held-journal.ts';

/** One line of a tuning's journal. */
export type TuneEvent =
  /** From here on its trials count, and none of before. */
  | { readonly type: 'begin'; readonly utc: string }
  /** Written before the run is started: a killed tool loses none. `key` is the candidate's (core/tune). */
  | { readonly type: 'trial'; readonly utc: string; readonly key: string; readonly runId: string }
  | { readonly type: 'end'; readonly utc: string; readonly why: string };

export type TrialEvent = Extract<TuneEvent, { readonly type: 'trial' }>;

/** The journal of one tuning, held by one tool at a time. */
export interface TuneJournal extends Pick<HeldJournal<TuneEvent>, 'path' | 'append' | 'close'> {
  /** Trials of a tuning that was not ended, oldest first; null where there is none to go on with. */
  readonly open: readonly TrialEvent[] | null;
}

/**
 * Opens the journal of a tuning for writing.
 * @param key hexadecimal, of what is tuned
 * @throws SuperOffloadError 'usage' where another tool tunes the same; 'environment' where it cannot be written.
 */
export async function openTuneJournal(home: string, key: string): Promise<TuneJournal> {
  const path = join(home, 'tunes', `${key}.ndjson`);
  const { events, ...journal } = await openHeldJournal<TuneEvent>(path, 'the same is being tuned');
  return { ...journal, open: openTrials(events) };
}

function openTrials(events: readonly TuneEvent[]): TuneJournal['open'] {
  const begun = events.findLastIndex(({ type }) => type === 'begin');
  const last = events.slice(begun);
  if (begun === -1 || last.some(({ type }) => type === 'end')) return null;
  return last.flatMap((event) => (event.type === 'trial' ? [event] : []));
}
