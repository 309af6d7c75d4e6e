import {
  appendFileSync,
  chmodSync,
  cpSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { treeHash } from '../../../src/adapters/upstreams/tree-hash.ts';
import { git, makeFolder, makeUpstream, write } from './repositories.ts';

describe('the hash of a tree', () => {
  it('is the same for a copy elsewhere, with other times, in another order of making', async () => {
    const { folder } = makeUpstream();
    const copy = join(makeFolder(), 'copy');
    cpSync(folder, copy, { recursive: true });
    utimesSync(join(copy, 'run.sh'), 1, 1);
    expect(await treeHash(copy)).toBe(await treeHash(folder));
    expect(await treeHash(copy)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    [
      'one byte',
      (tree: string) => {
        appendFileSync(join(tree, 'megatron/training.py'), ' ');
      },
    ],
    [
      'a new file',
      (tree: string) => {
        write(tree, { 'apex/__init__.py': '' });
      },
    ],
    [
      'a file that is gone',
      (tree: string) => {
        unlinkSync(join(tree, 'megatron/new.py'));
      },
    ],
    [
      'a name',
      (tree: string) => {
        renameSync(join(tree, 'megatron/new.py'), join(tree, 'megatron/newer.py'));
      },
    ],
    [
      'an executable bit',
      (tree: string) => {
        chmodSync(join(tree, 'run.sh'), 0o644);
      },
    ],
    [
      'a link instead of a file',
      (tree: string) => {
        rmSync(join(tree, 'run.sh'));
        symlinkSync('megatron/new.py', join(tree, 'run.sh'));
      },
    ],
  ])('is another one after %s', async (_title, change) => {
    const { folder } = makeUpstream();
    const before = await treeHash(folder);
    change(folder);
    expect(await treeHash(folder)).not.toBe(before);
  });

  it('does not change by what git, importing and pip install -e write', async () => {
    const { folder } = makeUpstream();
    const before = await treeHash(folder);
    git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    write(folder, {
      'megatron/__pycache__/training.cpython-311.pyc': 'x',
      'deepspeed.egg-info/PKG-INFO': 'x',
      'deepspeed/git_version_info_installed.py': 'x',
      'build/lib/x.py': 'x',
      'megatron/fused_kernels/build/build.ninja': 'x',
      'megatron/data/helpers.cpython-311-x86_64-linux-gnu.so': 'x',
    });
    expect(await treeHash(folder)).toBe(before);
  });
});
