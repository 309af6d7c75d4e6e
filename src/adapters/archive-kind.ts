import { open } from 'node:fs/promises';
import { storageError } from './files.ts';

/** How packed files begin: gzip (RFC 1952), zstd (RFC 8878), and where a plain tar says what it is (POSIX ustar). */
const beginnings = [
  { kind: 'tar.gz', at: 0, bytes: [0x1f, 0x8b] },
  { kind: 'tar.zst', at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'tar', at: 257, bytes: [...Buffer.from('ustar')] },
] as const;

/** Reads off a file's first bytes whether it is an archive: names may say anything. null: it is none. */
export async function archiveKind(path: string): Promise<(typeof beginnings)[number]['kind'] | null> {
  const head = Buffer.alloc(512);
  try {
    const file = await open(path, 'r');
    try {
      await file.read(head, 0, head.length, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw storageError(error, path);
  }
  const found = beginnings.find(({ at, bytes }) => bytes.every((byte, index) => head[at + index] === byte));
  return found?.kind ?? null;
}
