/** How an archive is compressed. */
export type Compression = 'gzip' | 'zstd';

/** @returns what an archive's name asks for; null for another name. */
export function compressionOfName(path: string): Compression | null {
  if (/\.(tar\.gz|tgz)$/.test(path)) return 'gzip';
  return /\.(tar\.zst|tzst)$/.test(path) ? 'zstd' : null;
}
