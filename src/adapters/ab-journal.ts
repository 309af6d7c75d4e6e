import { join } from 'node:path';
import { openHeldJournal, type HeldJournal } from './held-journal.ts';

/** One line of an A/B's journal. */
export type AbEvent =
  | { readonly type: 'begin'; readonly utc: string; readonly base: string; readonly head: string }
  /** Written before the run is started: a killed tool loses none. */
  | { readonly type: 'launch'; readonly utc: string; readonly side: 'base' | 'head'; readonly runId: string }
  | { readonly type: 'end'; readonly utc: string; readonly stopped: string };

/** The journal of one A/B, held by one tool at a time. */
export interface AbJournal extends Pick<HeldJournal<AbEvent>, 'path' | 'append' | 'close'> {
  /** Launches of a comparison that was not ended, oldest first; none where there is nothing to go on with. */
  readonly open: readonly Extract<AbEvent, { readonly type: 'launch' }>[];
}

/**
 * Opens the journal of an A/B for writing.
 * @param key hexadecimal, of what the two sides are
 * @throws SuperOffloadError 'usage' where another tool runs the same A/B; 'environment' where it cannot be written.
 */
export async function openAbJournal(home: string, key: string): Promise<AbJournal> {
  const path = join(home, 'gate', `${key}.ndjson`);
  const { events, ...journal } = await openHeldJournal<AbEvent>(path, 'this A/B is run');
  return { ...journal, open: openLaunches(events) };
}

function openLaunches(events: readonly AbEvent[]): AbJournal['open'] {
  const ended = events.findLastIndex(({ type }) => type === 'end');
  return events.slice(ended + 1).flatMap((event) => (event.type === 'launch' ? [event] : []));
}
