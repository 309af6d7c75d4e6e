import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { allowedBytes } from '../../core/archive/limits.ts';
import { unpackedBytes, type ArchiveManifest } from '../../core/archive/manifest.ts';
import { SuperOffloadError } from '../../errors.ts';

interface Room {
  /** `--max-size`, or null. */
  readonly maxGiB: number | null;
  readonly archive: string;
  readonly archiveBytes: number;
  readonly into: string;
}

/** @throws SuperOffloadError before anything is written, where it cannot fit or can mean no good. */
export async function requireRoom(manifest: ArchiveManifest, room: Room): Promise<void> {
  const bytes = unpackedBytes(manifest);
  if (bytes > allowedBytes(room.archiveBytes, room.maxGiB)) {
    throw new SuperOffloadError({
      code: 'config',
      message: `${room.archive}: ${gib(room.archiveBytes)} GiB would unpack to ${gib(bytes)} GiB, more than is plausible or allowed`,
      hint: `if you trust whoever made it: --max-size ${Math.ceil(bytes / 1024 ** 3)} (GiB)`,
    });
  }
  const free = await freeBytes(room.into);
  if (free === null || bytes <= free) return;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${room.into}: ${gib(bytes)} GiB are needed, ${gib(free)} GiB are free`,
    hint: 'free space, or give another --into',
  });
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toPrecision(3);
}

/** Of the disk that a folder is or will be on; null where nobody can say. */
async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  if (found !== null) return found.bavail * found.bsize;
  return dirname(folder) === folder ? null : freeBytes(dirname(folder));
}
