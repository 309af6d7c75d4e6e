/** Reads logs in large pieces: files of gigabytes, and stdin. */
import { open, stat } from 'node:fs/promises';

/** Read at once: every read waits for the event loop, so that fewer are quicker. */
const blockBytes = 1 << 21;
/** Text is handed on in pieces that stay in the processor's cache and in V8's young generation. */
const pieceBytes = 1 << 16;
/** How much of the start decides whether something is text. */
const headBytes = 1 << 16;

export interface LogSource {
  /** The path as given, or `-`. */
  readonly name: string;
  /**
   * Reads to the end. Text is decoded as latin1, one character a byte, because every field is ASCII and this is
   * several times quicker than UTF-8; see {@link readable}.
   * @param onText called for each piece, in order
   * @returns bytes read
   * @throws the reason of `signal` when it is aborted, or the system's error
   */
  readonly read: (onText: (text: string, codes: Uint8Array) => void, signal: AbortSignal) => Promise<number>;
}

/** @returns what is wrong with a path before it is read, or undefined */
export async function findLogFault(path: string): Promise<string | undefined> {
  try {
    const information = await stat(path);
    if (information.isDirectory()) return 'is a folder';
    if (information.isFile() && information.size === 0) return 'is empty';
    if (!information.isFile()) return undefined;
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      return findTextFault(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'does not exist';
    return code === 'EACCES' ? 'may not be read' : message;
  }
}

/** @returns why the first bytes are no log, or undefined */
export function findTextFault(head: Uint8Array): string | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'is compressed by gzip';
  return head.includes(0) ? 'is binary: it contains zero bytes' : undefined;
}

type OnText = Parameters<LogSource['read']>[0];

function handOn(block: Buffer, onText: OnText): void {
  for (let start = 0; start < block.length; start += pieceBytes) {
    const piece = block.subarray(start, start + pieceBytes);
    onText(piece.toString('latin1'), piece);
  }
}

export function openLogFile(path: string): LogSource {
  return {
    name: path,
    read: async (onText, signal) => {
      const file = await open(path);
      try {
        // The next block is read by another thread while this one is looked at.
        let [current, next] = [Buffer.allocUnsafe(blockBytes), Buffer.allocUnsafe(blockBytes)];
        let total = 0;
        let pending = file.read(current, 0, blockBytes, null);
        for (;;) {
          const { bytesRead } = await pending;
          signal.throwIfAborted();
          if (bytesRead === 0) return total;
          pending = file.read(next, 0, blockBytes, null);
          handOn(current.subarray(0, bytesRead), onText);
          total += bytesRead;
          [current, next] = [next, current];
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** @param stream most often process.stdin */
export function openLogStream(stream: AsyncIterable<Uint8Array>): LogSource {
  return {
    name: '-',
    read: async (onText, signal) => {
      let total = 0;
      for await (const piece of stream) {
        signal.throwIfAborted();
        const buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
        const fault = total === 0 ? findTextFault(buffer.subarray(0, headBytes)) : undefined;
        if (fault !== undefined) throw new NotALog(fault);
        handOn(buffer, onText);
        total += buffer.length;
      }
      if (total === 0) throw new NotALog('is empty');
      return total;
    },
  };
}

/** What came through a pipe is no log. */
export class NotALog extends Error {}

/** @returns text that was read as latin1 as the UTF-8 that it was, for people to read */
export function readable(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
