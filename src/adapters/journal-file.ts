import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, storageError } from './files.ts';

/** A file of JSON lines that is open for appending. */
export interface JournalFile {
  /** What was in it when it was opened. */
  readonly text: string;
  /** Appends a line; it is on the disk when this returns. @throws SuperOffloadError 'environment' on a full disk. */
  readonly append: (event: object) => void;
  readonly close: () => void;
}

/** @throws SuperOffloadError 'environment' where it cannot be written. */
export async function openJournalFile(path: string): Promise<JournalFile> {
  try {
    await makeFolder(dirname(path));
    const text = readJournalFile(path);
    const descriptor = openSync(path, 'a');
    // A line that a crash cut must not swallow the next one.
    if (text !== '' && !text.endsWith('\n')) writeSync(descriptor, '\n');
    return {
      text,
      append: (event) => {
        appendLine(descriptor, path, event);
      },
      close: () => {
        closeSync(descriptor);
      },
    };
  } catch (error) {
    throw storageError(error, path);
  }
}

/** @returns its text; empty where there is none yet. */
export function readJournalFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw storageError(error, path);
  }
}

function appendLine(descriptor: number, path: string, event: object): void {
  try {
    writeSync(descriptor, `${JSON.stringify(event)}\n`);
    fsyncSync(descriptor);
  } catch (error) {
    throw storageError(error, path);
  }
}
