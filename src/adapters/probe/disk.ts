import { accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DoctorFacts } from '../../core/doctor/facts.ts';

/** Looks at the file system that `path` is, or would be, on. */
export function probeDisk(path: string): DoctorFacts['disk'] {
  let existing = resolve(path);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    if (!statSync(existing).isDirectory())
      return { path, freeBytes: null, problem: `${existing} is not a folder` };
    accessSync(existing, constants.W_OK);
    const { bavail, bsize } = statfsSync(existing);
    return { path, freeBytes: bavail * bsize, problem: null };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'EROFS' ? 'the file system is read-only' : `nothing can be written (${code ?? 'unknown'})`;
    return { path, freeBytes: null, problem };
  }
}

/** @returns what a folder takes on the disk, bytes; a file with several names counts once, as for du(1). */
export function folderBytes(path: string): number {
  const seen = new Set<string>();
  const walk = (folder: string): number =>
    readNames(folder).reduce((sum, name) => {
      const entry = join(folder, name);
      const stat = lstatSync(entry, { throwIfNoEntry: false });
      if (stat === undefined) return sum;
      if (stat.isDirectory()) return sum + walk(entry);
      const key = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1 && seen.has(key)) return sum;
      seen.add(key);
      return sum + stat.blocks * statBlockBytes;
    }, 0);
  return walk(path);
}

/** stat(2) counts in these, whatever the file system does. */
const statBlockBytes = 512;

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
