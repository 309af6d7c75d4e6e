import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
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
