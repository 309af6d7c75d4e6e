import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileErrors } from '../files.ts';

/** What importing, compiling and `pip install -e` write into a work tree: none of it is the upstream's. */
const writtenNames = /^(\.git|__pycache__|\.pytest_cache|.*\.egg-info)$|\.(pyc|so|o)$/;
/** DeepSpeed's setup.py writes what it built; Megatron compiles its fused kernels in a folder of their own. */
const writtenPaths = new Set([
  ...['build', 'dist', 'build.txt', 'megatron/fused_kernels/build'],
  'deepspeed/git_version_info_installed.py',
]);
const readAtOnce = 64;

/**
 * sha256 over path, executable bit and content of every file of a work tree, in the order of the paths; of a symbolic
 * link, over what it names. `.git` and what an installation writes are left out, so that it is the same before and
 * after `pip install -e`.
 * @returns 64 hexadecimal digits.
 * @throws SuperOffloadError 'environment' where a file cannot be read.
 */
export async function treeHash(directory: string): Promise<string> {
  return withFileErrors(directory, async () => {
    const paths = await filesBelow(directory, '');
    paths.sort();
    const hash = createHash('sha256');
    for (let start = 0; start < paths.length; start += readAtOnce) {
      const some = paths.slice(start, start + readAtOnce);
      for (const line of await Promise.all(some.map((path) => entryOf(directory, path)))) hash.update(line);
    }
    return hash.digest('hex');
  });
}

async function filesBelow(directory: string, below: string): Promise<string[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true });
  const lists = entries.map(async (entry: Dirent): Promise<string[]> => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (writtenNames.test(entry.name) || writtenPaths.has(path)) return [];
    if (entry.isDirectory()) return filesBelow(directory, path);
    return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
  });
  return (await Promise.all(lists)).flat();
}

/** One line: a path cannot hold NUL, so no two trees give the same lines. */
async function entryOf(directory: string, path: string): Promise<string> {
  const file = join(directory, path);
  const state = await lstat(file);
  const mode = state.isSymbolicLink() ? 'link' : (state.mode & 0o100) === 0 ? 'file' : 'program';
  const content = state.isSymbolicLink() ? await readlink(file) : await readFile(file);
  return `${path}\0${mode}\0${createHash('sha256').update(content).digest('hex')}\n`;
}
