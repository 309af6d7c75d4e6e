import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const chunkBytes = 256 * 1024;
/** Four times what the fold looks at (core/logs/fold.ts): a log without line feeds must not fill the memory. */
const maxLineChars = 65_536;

/**
 * Follows a growing file by offset, in pieces: nothing but one piece is ever in memory. Polling, because fs.watch
 * does not work on NFS, where HPC homes lie (inotify sees only this host's writes).
 */
export class FileTail {
  readonly #path: string;
  /** Grows with what there is to read: most logs are short, and a campaign has thousands. */
  #chunk = Buffer.alloc(0);
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What the file holds now and the last call did not give. What is written meanwhile waits for the next call, so
   * that this one ends. Nothing where there is no such file.
   * @returns pieces that are valid until the next one is asked for
   */
  *pieces(): Generator<Buffer, void> {
    let descriptor: number;
    try {
      descriptor = openSync(this.#path, 'r');
    } catch {
      return;
    }
    try {
      const { size } = fstatSync(descriptor);
      while (this.#offset < size) {
        const wanted = Math.min(chunkBytes, size - this.#offset);
        if (this.#chunk.length < wanted) this.#chunk = Buffer.allocUnsafe(wanted);
        const bytes = readSync(descriptor, this.#chunk, 0, wanted, this.#offset);
        if (bytes === 0) return;
        this.#offset += bytes;
        yield this.#chunk.subarray(0, bytes);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Follows a growing log line by line. Of a line longer than 65 536 characters only the beginning is given. */
export class LogTail {
  readonly #file: FileTail;
  readonly #decoder = new StringDecoder('utf8');
  #partial = '';

  constructor(path: string) {
    this.#file = new FileTail(path);
  }

  /** The lines completed since the last call, without their newline. */
  *read(): Generator<string, void> {
    for (const piece of this.#file.pieces()) {
      const parts = this.#decoder.write(piece).split('\n');
      const rest = parts.pop() ?? '';
      for (const part of parts) {
        yield this.#extend(part);
        this.#partial = '';
      }
      this.#partial = this.#extend(rest);
    }
  }

  /** The same and, at last, a line that never got its newline, if there is one. */
  *end(): Generator<string, void> {
    yield* this.read();
    const rest = this.#extend(this.#decoder.end());
    this.#partial = '';
    if (rest !== '') yield rest;
  }

  #extend(text: string): string {
    const room = maxLineChars - this.#partial.length;
    return this.#partial + (text.length > room ? text.slice(0, room) : text);
  }
}
