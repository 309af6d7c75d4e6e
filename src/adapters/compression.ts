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
