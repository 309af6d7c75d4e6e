import { open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Compression } from '../core/archive/compression.ts';
import { startFilter } from './exec.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type ZlibOfZstd = Partial<Record<'createZstdCompress' | 'createZstdDecompress', () => Duplex>>;

/** zstd came into zlib with Node 22.15 and 23.8; before, the program of that name does it. */
const { createZstdCompress, createZstdDecompress } = zlib as ZlibOfZstd;

/** @returns what compresses; the same bytes for the same input. */
export function compressor(compression: Compression, env: Environment): Duplex {
  if (compression === 'gzip') return zlib.createGzip();
  // One thread: with more the bytes depend on their number.
  return createZstdCompress?.() ?? startFilter(['zstd', '-q', '-c', '-3', '--single-thread'], env);
}

export function decompressor(compression: Compression, env: Environment): Duplex {
  if (compression === 'gzip') return zlib.createGunzip();
  return createZstdDecompress?.() ?? startFilter(['zstd', '-q', '-d', '-c'], env);
}

/** @returns how a file is compressed, by its first bytes; null where it is neither way. */
export async function compressionOf(path: string): Promise<Compression | null> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const magic = buffer.toString('hex', 0, bytesRead);
    if (magic.startsWith('1f8b')) return 'gzip';
    return magic === '28b52ffd' ? 'zstd' : null;
  } finally {
    await file.close();
  }
}
