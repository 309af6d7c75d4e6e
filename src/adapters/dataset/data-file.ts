import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { readIndex, tokenTypes, type DatasetIndex } from '../../core/dataset/indexed.ts';
import { compareBin, tokenRange } from '../../core/dataset/tokens.ts';
import type { Fault } from '../../errors.ts';
import { withFileErrors } from '../files.ts';

/** What lies at PREFIX.idx and PREFIX.bin. */
export interface FoundDataset {
  /** null where the .idx is missing or is none. */
  readonly index: DatasetIndex | null;
  /** null where there is no .bin. */
  readonly binBytes: number | null;
  readonly faults: readonly Fault[];
  /** The .bin has one token a document that its index does not count: see `compareBin`. */
  readonly hasUncountedEnds: boolean;
}

/**
 * Reads the index of a data set and compares it with its .bin, of which only the size is looked at.
 * @throws SuperOffloadError 'environment' where the files cannot be read.
 */
export async function findDataset(prefix: string): Promise<FoundDataset> {
  const [idx, binBytes] = await Promise.all([readOrNull(`${prefix}.idx`), fileBytes(`${prefix}.bin`)]);
  const faults: Fault[] = [];
  const reading = idx === null ? null : readIndex(idx);
  if (reading === null) faults.push({ place: `${prefix}.idx`, problem: 'is missing' });
  else if (!reading.ok)
    faults.push(...reading.problems.map((problem) => ({ place: `${prefix}.idx`, problem })));
  if (binBytes === null) faults.push({ place: `${prefix}.bin`, problem: 'is missing' });
  const index = reading?.ok === true ? reading.index : null;
  if (index === null || binBytes === null) return { index, binBytes, faults, hasUncountedEnds: false };
  const compared = compareBin(index, binBytes);
  if (compared === 'short' || compared === 'long') {
    const problem = await binProblem(prefix, binBytes, index);
    faults.push({ place: `${prefix}.bin`, problem, expected: expectedBytes(index) });
  }
  return { index, binBytes, faults, hasUncountedEnds: compared === 'uncounted-ends' && index.tokens > 0 };
}

async function binProblem(prefix: string, binBytes: number, index: DatasetIndex): Promise<string> {
  if (await isLfsPointer(`${prefix}.bin`)) return 'is a Git LFS pointer: the file itself was not fetched';
  return `${binBytes < index.binBytes ? 'is cut' : 'is longer than its index'}: ${binBytes} bytes`;
}

function expectedBytes({ binBytes, tokens, type }: DatasetIndex): string {
  return `${binBytes} bytes: ${tokens} tokens of ${type}`;
}

/** A Git LFS pointer that stands where the file should (its first line names the specification). */
export async function isLfsPointer(path: string): Promise<boolean> {
  if (((await fileBytes(path)) ?? Infinity) > 1024) return false;
  return (await readFile(path, 'utf8')).startsWith('version https://git-lfs');
}

/** @returns null where there is no such file. */
export async function fileBytes(path: string): Promise<number | null> {
  return withFileErrors(path, async () => {
    try {
      const found = await stat(path);
      return found.isFile() ? found.size : null;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  });
}

async function readOrNull(path: string): Promise<Buffer | null> {
  return withFileErrors(path, () =>
    readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    }),
  );
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Up to this size every token is looked at; above it, as many bytes in evenly spaced pieces. */
const sampledBytes = 32 * 2 ** 20;
const pieceBytes = 2 ** 18;

/**
 * The least and largest token of a .bin: of all of it up to 32 MiB, else of 128 pieces of 256 KiB, the first and the
 * last among them, so that it takes well under a second whatever the size.
 */
export async function sampleTokens(
  prefix: string,
  index: DatasetIndex,
  binBytes: number,
): Promise<{ readonly least: number; readonly largest: number; readonly isWhole: boolean }> {
  const width = tokenTypes[index.type].bytes;
  const pieces = Math.ceil(Math.min(binBytes, sampledBytes) / pieceBytes);
  const isWhole = binBytes <= sampledBytes;
  const lastAt = Math.max(0, binBytes - pieceBytes);
  return withFileErrors(`${prefix}.bin`, async () => {
    const file = await open(`${prefix}.bin`);
    const range = { least: Number.POSITIVE_INFINITY, largest: Number.NEGATIVE_INFINITY };
    try {
      const buffer = Buffer.alloc(pieceBytes);
      for (let i = 0; i < pieces; i++) {
        const at = isWhole ? i * pieceBytes : Math.floor((lastAt * i) / (pieces - 1) / width) * width;
        const { bytesRead } = await file.read(buffer, 0, pieceBytes, at);
        const { least, largest } = tokenRange(index.type, buffer.subarray(0, bytesRead));
        range.least = Math.min(range.least, least);
        range.largest = Math.max(range.largest, largest);
      }
    } finally {
      await file.close();
    }
    return { ...range, isWhole };
  });
}

/** @throws the signal's reason when it is aborted meanwhile. */
export async function sha256OfFile(
  path: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20, signal })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      onBytes(bytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    return await withFileErrors(path, () => Promise.reject(error as Error));
  }
  return hash.digest('hex');
}
