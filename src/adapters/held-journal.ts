import { SuperOffloadError } from '../errors.ts';
import { openJournalFile } from './journal-file.ts';
import { tryMutex } from './stack/mutex.ts';

/** A journal that one tool at a time writes. */
export interface HeldJournal<Event> {
  readonly path: string;
  /** What was in it when it was opened; a line that a crash cut says nothing. */
  readonly events: readonly Event[];
  /** On the disk when it returns. @throws SuperOffloadError 'environment' on a full disk. */
  readonly append: (event: Event) => void;
  readonly close: () => Promise<void>;
}

/**
 * Opens a journal for writing, and holds it until it is closed; what a dead tool held is taken over.
 * @param held what another tool does that has it, for a message: `this A/B is run`
 * @throws SuperOffloadError 'usage' where a living tool has it; 'environment' where it cannot be written.
 */
export async function openHeldJournal<Event extends { readonly type: string }>(
  path: string,
  held: string,
): Promise<HeldJournal<Event>> {
  const mutex = await tryMutex(`${path}.lock`);
  if ('heldBy' in mutex) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `${held} by another superoffload${mutex.heldBy === 0 ? '' : ` (pid ${mutex.heldBy})`}`,
      hint: 'wait for it, or end it',
    });
  }
  try {
    const file = await openJournalFile(path);
    return {
      path,
      events: file.text.split('\n').flatMap((line) => (parseLine(line) as Event | null) ?? []),
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

function parseLine(line: string): object | null {
  try {
    const value = JSON.parse(line) as { readonly type?: unknown } | null;
    return typeof value?.type === 'string' ? value : null;
  } catch {
    return null;
  }
}
