import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../adapters/files.ts';
import { SuperOffloadError } from '../errors.ts';

/**
 * Sees that a folder can be written, before hours of runs are spent on what goes into it.
 * @param make makes it too; else the nearest folder above it is looked at, and nothing is left behind
 * @throws SuperOffloadError 'environment'.
 */
export async function requireOut(out: string, { make }: { readonly make: boolean }): Promise<void> {
  try {
    if (make) await makeFolder(out);
    const place = make ? out : await existing(out);
    if (!(await stat(place)).isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
    await access(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = reasons[code];
    if (why === undefined) throw error;
    throw new SuperOffloadError({
      code: 'environment',
      message: `--out ${out}: ${why}`,
      hint: 'name a folder that you may write to',
      cause: error,
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EEXIST: 'a part of the path is not a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOENT: 'it is not there and cannot be made',
  ENAMETOOLONG: 'the path or a part of it is too long',
  ENOSPC: 'the disk is full',
  ELOOP: 'its symbolic links lead in a circle',
  ERR_INVALID_ARG_VALUE: 'it is no path',
};

/** The nearest folder above that is there. */
async function existing(path: string): Promise<string> {
  const found = await stat(path).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    },
  );
  return found || dirname(path) === path ? path : existing(dirname(path));
}
