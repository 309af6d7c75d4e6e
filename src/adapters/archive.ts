import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Header, Parser, Pax, type ReadEntry } from 'tar';
import { compressionOfName } from '../core/archive/compression.ts';
import {
  changedFile,
  nameTaken,
  NotPlain,
  NotTar,
  readError,
  TooLong,
  withoutZstd,
} from './archive-errors.ts';
import { compressionOfFile, compressor, decompressor } from './compression.ts';
import { storageError } from './files.ts';
import { moveIfFree, temporaryBeside } from './leftovers.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A file as it goes into an archive. */
export interface PackedFile {
  readonly path: string;
  /** Of `content`, exactly. */
  readonly bytes: number;
  /** Seconds since the epoch. */
  readonly mtimeS: number;
  readonly content: () => AsyncIterable<Buffer>;
}

const blockBytes = 512;
/** A tar ends with two blocks of zeros. */
const endOfArchive = Buffer.alloc(2 * blockBytes);

/**
 * Writes a compressed tar: a temporary file beside it, fsync, rename. The same files give the same bytes: owner 0, mode
 * 0644 and given times.
 * @param path `.tar.gz` or `.tar.zst`
 * @param onBytes called with the bytes of the tar so far
 * @returns the size of the archive, bytes
 * @throws SuperOffloadError 'environment' on a full disk, without zstd; the signal's reason when it is aborted.
 */
export async function writeArchive(
  path: string,
  files: readonly PackedFile[],
  options: {
    readonly env: Environment;
    readonly signal: AbortSignal;
    readonly onBytes: (bytes: number) => void;
    /** Take the place of a file of that name. */
    readonly replace: boolean;
  },
): Promise<number> {
  const temporary = temporaryBeside(path);
  try {
    const filter = compressor(compressionOfName(path) ?? 'gzip', options.env);
    const tar = Readable.from(tarBytes(files, options.onBytes), { objectMode: false });
    await pipeline(tar, filter, createWriteStream(temporary, { flags: 'wx' }), { signal: options.signal });
    const file = await open(temporary, 'r+');
    await file.sync().finally(() => file.close());
    const { size } = await stat(temporary);
    options.signal.throwIfAborted();
    if (options.replace) await rename(temporary, path);
    else if (!(await moveIfFree(temporary, path))) throw nameTaken(path);
    return size;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    options.signal.throwIfAborted();
    throw withoutZstd(error, path) ?? storageError(error, path);
  }
}

async function* tarBytes(
  files: readonly PackedFile[],
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let total = 0;
  for (const { path, bytes, mtimeS, content } of files) {
    yield headerOf(path, bytes, new Date(mtimeS * 1000));
    let written = 0;
    for await (const chunk of content()) {
      written += chunk.length;
      yield chunk;
      onBytes((total += chunk.length));
    }
    if (written !== bytes) throw changedFile(path);
    yield Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes);
  }
  yield endOfArchive;
}

function headerOf(path: string, size: number, mtime: Date): Buffer {
  const fields = { path, size, mtime, mode: 0o644, uid: 0, gid: 0, type: 'File' } as const;
  const header = new Header(fields);
  const block = Buffer.alloc(blockBytes);
  return header.encode(block) ? Buffer.concat([new Pax({ path, size }).encode(), block]) : block;
}

/** An entry of an archive that is being read. Whoever does not read `content` to its end says so with `skip`. */
export interface UnpackedEntry {
  readonly path: string;
  /** tar's name: only `File` is one, every other is a folder, a link, a device or a pipe. */
  readonly type: string;
  readonly bytes: number;
  readonly content: () => AsyncIterable<Buffer>;
  /** Reads it to its end and keeps nothing. */
  readonly skip: () => void;
}

export interface ReadOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Bytes of the tar that may be read at most, asked before each piece: one that goes on after it is refused. */
  readonly maxBytes: () => number;
  /** Called with the bytes of the archive's file so far. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Reads an archive from its beginning, an entry at a time, in little memory. Nothing is written anywhere.
 * @param handle answers false when it needs no more
 * @throws SuperOffloadError 'usage' where there is no such file, 'config' for what is no archive, is cut or damaged.
 */
export async function readArchive(
  path: string,
  handle: (entry: UnpackedEntry) => Promise<boolean>,
  options: ReadOptions,
): Promise<void> {
  const compression = await compressionOfFile(path);
  const enough = new AbortController();
  const signal = AbortSignal.any([options.signal, enough.signal]);
  const parser = new Parser({ strict: true, maxMetaEntrySize: maxMetaBytes, zstd: false, brotli: false });
  const entries = handleEntries(parser, async (entry) => {
    if (!(await handle(entry))) enough.abort();
  });
  try {
    await Promise.all([
      entries.done,
      pipeline(
        createReadStream(path).on('data', countBytes(options.onBytes)),
        decompressor(compression, options.env),
        async (bytes: AsyncIterable<Buffer>) => {
          // pipeline would say that it was aborted, and not why.
          await feed(parser, bytes, { ...options, failed: entries.failed }).catch((error: unknown) => {
            entries.fail(error);
            throw error;
          });
        },
        { signal },
      ).catch((error: unknown) => {
        entries.fail(error);
        throw error;
      }),
    ]);
  } catch (error) {
    // Whoever reads an entry learns that no more comes, and has let go of everything when this returns.
    await entries.stop(error);
    options.signal.throwIfAborted();
    if (enough.signal.aborted) return;
    throw withoutZstd(error, path) ?? readError(error, path);
  }
}

/** Of a pax header: ours hold a path and a size. */
const maxMetaBytes = 64 * 1024;

function countBytes(onBytes: ((bytes: number) => void) | undefined): (chunk: Buffer | string) => void {
  let total = 0;
  return (chunk) => onBytes?.((total += chunk.length));
}

interface Entries {
  readonly done: Promise<void>;
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
  /** Ends what reads an entry, and waits for it. */
  readonly stop: (error: unknown) => Promise<void>;
}

/** One after the other, also where an entry's bytes have all come before its handler is done. */
function handleEntries(parser: Parser, handle: (entry: UnpackedEntry) => Promise<void>): Entries {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  let last = Promise.resolve();
  let current: ReadEntry | undefined;
  let stopped: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    parser.once('end', resolve);
  });
  parser.on('error', fail);
  // Of a type that tar does not know, or a pax header that is too long.
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    fail(new NotPlain(entry.path));
  });
  parser.on('entry', (entry: ReadEntry) => {
    last = last.then(() => {
      if (stopped !== undefined) return;
      current = entry;
      return handle(unpacked(entry));
    });
    last.catch(fail);
  });
  const stop = async (error: unknown): Promise<void> => {
    stopped = error instanceof Error ? error : new Error(String(error));
    current?.on('error', () => undefined).destroy(stopped);
    await last.catch(() => undefined);
  };
  return { done: Promise.race([failed, ended.then(() => last)]), failed, fail, stop };
}

function unpacked(entry: ReadEntry): UnpackedEntry {
  return {
    path: entry.path,
    type: entry.type === 'OldFile' ? 'File' : entry.type,
    bytes: entry.size,
    content: () => entry,
    skip: () => {
      entry.resume();
    },
  };
}

async function feed(
  parser: Parser,
  bytes: AsyncIterable<Buffer>,
  { maxBytes, failed }: Pick<ReadOptions, 'maxBytes'> & Pick<Entries, 'failed'>,
): Promise<void> {
  let total = 0;
  for await (const chunk of bytes) {
    // The parser would look into a gzip within the gzip, and nobody would count what comes out.
    if (total === 0 && chunk[0] === 0x1f) throw new NotTar();
    total += chunk.length;
    if (total > maxBytes()) throw new TooLong(maxBytes());
    if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), failed]);
  }
  if (total === 0) throw new NotTar();
  parser.end();
}
