import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const chunkBytes = 256 * 1024;

/**
 * Follows a growing file by offset. Polling, because fs.watch does not work on NFS, where HPC homes lie
 * (design.md, "Library pins").
 */
export class LogTail {
  readonly #path: string;
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #partial = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns the lines completed since the last call, without their newline. */
  read(): string[] {
    const lines: string[] = [];
    let descriptor: number;
    try {
      descriptor = openSync(this.#path, 'r');
    } catch {
      return lines;
    }
    try {
      for (;;) {
        const bytes = readSync(descriptor, this.#chunk, 0, chunkBytes, this.#offset);
        if (bytes === 0) return lines;
        this.#offset += bytes;
        const parts = (this.#partial + this.#decoder.write(this.#chunk.subarray(0, bytes))).split('\n');
        this.#partial = parts.pop() ?? '';
        for (const part of parts) lines.push(part);
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /** @returns a last line that never got its newline, if there is one. */
  end(): string[] {
    const lines = this.read();
    const rest = this.#partial + this.#decoder.end();
    this.#partial = '';
    return rest === '' ? lines : [...lines, rest];
  }
}
