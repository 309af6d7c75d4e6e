import { stat } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Compression } from '../core/archive/compression.ts';
import { SuperOffloadError } from '../errors.ts';
import { noArchive } from './archive-errors.ts';
import { archiveKind } from './archive-kind.ts';
import { startFilter } from './exec.ts';
import { storageError } from './files.ts';

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

/**
 * How an archive is compressed, by its first bytes.
 * @throws SuperOffloadError 'usage' where there is no such file, 'config' where it is no archive.
 */
export async function compressionOfFile(path: string): Promise<Compression> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw noArchive(path, found.isDirectory() ? 'it is a folder' : 'it is no file');
    const kind = await archiveKind(path);
    if (kind === 'tar.gz') return 'gzip';
    if (kind === 'tar.zst') return 'zstd';
    throw noArchive(path, kind === 'tar' ? 'it is not compressed' : 'it is neither gzip nor zstd');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storageError(error, path);
    const hint = 'archives are made by: superoffload runs export --archive FILE.tar.gz';
    throw new SuperOffloadError({ code: 'usage', message: `there is no file ${path}`, hint, cause: error });
  }
}
