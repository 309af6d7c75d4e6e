import { createReadStream } from 'node:fs';
import { checkUtf8 } from '../../core/dataset/utf8.ts';
import type { Fault } from '../../errors.ts';
import { storageError } from '../files.ts';
import { SuperOffloadError } from '../../errors.ts';

/** What a file of text holds: see `inspectText`. */
export interface TextFile {
  readonly path: string;
  readonly bytes: number;
  readonly documents: number;
}

const shownFaults = 5;

/**
 * Reads a file of text once, as it will be read: UTF-8, one document; or, where its name ends in `.jsonl`, one document
 * a line, the value of the key `text`.
 * @returns the file, or every fault with its byte or line; no more than a few of one file.
 */
export async function inspectText(path: string, signal: AbortSignal): Promise<TextFile | readonly Fault[]> {
  const lines = path.endsWith('.jsonl') ? new JsonLines(path) : null;
  let read = 0;
  let pending = Buffer.alloc(0);
  let isBlank = true;
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20, signal })) {
      const bytes = pending.length === 0 ? (piece as Buffer) : Buffer.concat([pending, piece as Buffer]);
      const checked = checkUtf8(bytes, false);
      if (checked.invalidAt !== null)
        return [notUtf8(path, read + checked.invalidAt, bytes[checked.invalidAt])];
      const whole = bytes.subarray(0, bytes.length - checked.pending);
      if (isBlank) isBlank = /^\s*$/.test(whole.toString('utf8'));
      lines?.push(whole);
      read += whole.length;
      pending = Buffer.from(bytes.subarray(whole.length));
    }
  } catch (error) {
    signal.throwIfAborted();
    return [unreadable(path, error)];
  }
  if (pending.length > 0) return [notUtf8(path, read, pending[0])];
  if (isBlank) return [{ place: path, problem: read === 0 ? 'is empty' : 'has nothing but white space' }];
  const faults = lines?.end() ?? [];
  return faults.length > 0 ? faults : { path, bytes: read, documents: lines?.documents ?? 1 };
}

function notUtf8(path: string, at: number, byte: number | undefined): Fault {
  const hex = (byte ?? 0).toString(16).padStart(2, '0');
  return { place: path, problem: `is not UTF-8: byte 0x${hex} at offset ${at}`, expected: 'text in UTF-8' };
}

function unreadable(path: string, error: unknown): Fault {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { place: path, problem: 'there is no such file' };
  const known = storageError(error, path);
  if (code === 'EISDIR') return { place: path, problem: 'is a folder', expected: 'a file of text' };
  if (known instanceof SuperOffloadError)
    return { place: path, problem: 'cannot be read: permission denied' };
  throw error;
}

/** Lines of JSON that come in pieces of bytes. */
class JsonLines {
  documents = 0;
  readonly #path: string;
  readonly #faults: Fault[] = [];
  #line = 0;
  #rest: Buffer[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#rest.push(bytes.subarray(start, end));
      this.#take();
      start = end + 1;
    }
    // A copy: the stream uses its buffers again.
    if (start < bytes.length) this.#rest.push(Buffer.from(bytes.subarray(start)));
  }

  end(): readonly Fault[] {
    if (this.#rest.length > 0) this.#take();
    return this.#faults;
  }

  #take(): void {
    const text = Buffer.concat(this.#rest).toString('utf8');
    this.#rest = [];
    this.#line += 1;
    const line = this.#line === 1 ? text.replace(/^\ufeff/, '') : text;
    if (line.trim() === '' || this.#faults.length >= shownFaults) return;
    const problem = problemOf(line);
    if (problem === null) this.documents += 1;
    else this.#faults.push({ place: `${this.#path}:${this.#line}`, problem, expected: '{"text": "..."}' });
  }
}

function problemOf(line: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not JSON';
  }
  const text = (value as { readonly text?: unknown } | null)?.text;
  if (text === undefined) return 'has no "text"';
  if (typeof text !== 'string') return '"text" is no string';
  // JSON can spell half a character, UTF-8 cannot.
  return /\p{Surrogate}/u.test(text) ? '"text" has half a surrogate pair, which is no character' : null;
}
