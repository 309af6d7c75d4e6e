import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { collectManifest, takeManifest } from '../../../src/adapters/stack/manifest.ts';
import { fullDrift, quickDrift, quickDriftOf } from '../../../src/adapters/stack/manifest-drift.ts';
import { loadStack } from '../../../src/adapters/stack/store.ts';
import type { Drift } from '../../../src/core/stack/drift.ts';
import { sharedHome } from '../../real-stack.ts';
import {
  changeOneByte,
  removeSmallStacks,
  rewrite,
  smallStack,
  touch,
  write,
  type SmallStack,
} from './small-stack.ts';

import { git } from './small-lock.ts';

let stack: SmallStack;
beforeEach(async () => {
  stack = await smallStack();
});
afterAll(removeSmallStacks);

const quick = async (): Promise<readonly Drift[]> => (await quickDrift(stack.lock)) ?? [];
const full = async (): Promise<readonly Drift[]> => (await fullDrift(stack.lock)).drifts;
const places = (drifts: readonly Drift[]): string[] => drifts.map(({ place }) => place);

describe('the manifest of a stack', () => {
  it('agrees with the stack that it was taken of', async () => {
    expect(await quick()).toEqual([]);
    const { drifts, touched, hasManifest, files } = await fullDrift(stack.lock);
    expect({ drifts, touched, hasManifest }).toEqual({ drifts: [], touched: [], hasManifest: true });
    // 6 + 5 of the packages, 3 RECORD and loose files, 3 of the tree, the op, pyvenv.cfg and the interpreter at least.
    expect(files).toBeGreaterThanOrEqual(18);
  });

  it('knows the interpreter, the commit, and which files no RECORD vouches for', async () => {
    const manifest = await collectManifest(stack.lock);
    const [site, tree] = manifest.roots;
    expect(site?.packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
      'alpha 1.0',
      'deep_speed 0.19.8',
    ]);
    expect(site?.files.map(({ path }) => path)).toEqual([
      ...['by_hand.py', 'deepspeed/builder.py', 'overlay.pth', 'single.py'],
    ]);
    expect(site?.patched).toEqual(['deepspeed/builder.py']);
    expect(tree?.commit).toBe(git(stack.tree, 'rev-parse', 'HEAD'));
    expect(tree?.files.map(({ path }) => path)).toEqual([
      ...['README.md', 'megatron/arguments.py', 'megatron/training.py'],
    ]);
    expect(manifest.files.map(({ path }) => path.split('/').at(-1))).toContain('cpu_adam.so');
    expect(manifest.files[0]?.path).toMatch(/bin\/python[\d.]*$/);
  });
});

describe('one byte changed, time and size restored', () => {
  const cases = [
    ['a file of a patched upstream', 'tree', 'megatron/training.py', 'megatron/megatron/training.py'],
    [
      'a file of an upstream that no patch touched',
      'tree',
      'megatron/arguments.py',
      'megatron/megatron/arguments.py',
    ],
    ['a file of an installed package', 'site', 'alpha/core.py', 'site-packages/alpha/core.py'],
    [
      'a file of a package that was patched',
      'site',
      'deepspeed/builder.py',
      'site-packages/deepspeed/builder.py',
    ],
    ['a file that nothing lists', 'site', 'by_hand.py', 'site-packages/by_hand.py'],
    ['a .pth file', 'site', 'overlay.pth', 'site-packages/overlay.pth'],
    ['a RECORD', 'site', 'alpha-1.0.dist-info/RECORD', 'site-packages/alpha-1.0.dist-info/RECORD'],
  ] as const;
  it.each(cases)('verify finds it in %s, the quick check does not', async (_, root, path, place) => {
    changeOneByte(join(stack[root], path));
    expect(await quick()).toEqual([]);
    const found = await full();
    expect(places(found)).toEqual([place]);
    expect(found[0]?.expected).not.toBe(found[0]?.found);
  });

  it('verify finds it in an op and in a script of a package', async () => {
    const [op, script] = [join(stack.lock.ops.directory, 'cpu_adam', 'cpu_adam.so'), 'venv/bin/alpha'];
    changeOneByte(op);
    changeOneByte(join(stack.directory, script));
    expect(await quick()).toEqual([]);
    const short = op.slice(stack.directory.length + 1);
    expect(places(await full()).sort()).toEqual([short, join(stack.directory, script)].sort());
  });
});

describe('what verify knows and the quick check cannot', () => {
  it('a module deep inside a package', async () => {
    write(join(stack.site, 'alpha/extra.py'), '');
    expect(await quick()).toEqual([]);
    expect(places(await full())).toEqual(['site-packages/alpha/extra.py']);
  });

  it('a file was only touched: the content is the same', async () => {
    touch(join(stack.tree, 'megatron/training.py'));
    rewrite(join(stack.site, 'single.py'));
    expect(places(await quick())).toEqual(['site-packages/single.py', 'megatron/megatron/training.py']);
    const { drifts, touched } = await fullDrift(stack.lock);
    expect(drifts).toEqual([]);
    expect(touched).toEqual(['site-packages/single.py', 'megatron/megatron/training.py']);
  });

  it('a patch was taken back, so that the package is as its RECORD says and not as the lock does', async () => {
    writeFileSync(join(stack.site, 'deepspeed/builder.py'), "arch = '10.0'\n");
    expect(places(await full())).toEqual(['site-packages/deepspeed/builder.py']);
  });

  it('without a manifest the packages are compared with their own RECORD, and patches with the lock', async () => {
    rmSync(join(stack.directory, 'manifest.json'));
    expect(await quickDrift(stack.lock)).toBeNull();
    const clean = await fullDrift(stack.lock);
    expect(clean.hasManifest).toBe(false);
    expect(clean.drifts).toEqual([]);
    changeOneByte(join(stack.site, 'alpha/core.py'));
    changeOneByte(join(stack.tree, 'megatron/training.py'));
    expect(places(await full())).toEqual(['site-packages/alpha/core.py', 'megatron/megatron/training.py']);
  });

  it('without a manifest a file of an upstream that no patch touched is seen in the hash of its tree', async () => {
    rmSync(join(stack.directory, 'manifest.json'));
    changeOneByte(join(stack.tree, 'megatron/arguments.py'));
    const tree = stack.lock.upstreams.megatron?.tree ?? '';
    expect(await full()).toEqual([
      {
        place: 'megatron',
        expected: `tree ${tree}`,
        found: expect.stringMatching(/^tree [0-9a-f]{64}$/) as string,
      },
    ]);
  });

  it('a damaged manifest counts as none', async () => {
    writeFileSync(join(stack.directory, 'manifest.json'), '{"schemaVersion": 1');
    expect(await quickDrift(stack.lock)).toBeNull();
  });

  it('ends at an interruption', async () => {
    const reason = new Error('interrupted');
    await expect(fullDrift(stack.lock, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

it('a link to a folder is compared by where it leads', async () => {
  symlinkSync('megatron', join(stack.tree, 'linked'));
  await takeManifest(stack.lock);
  expect(await full()).toEqual([]);
  rmSync(join(stack.tree, 'linked'));
  symlinkSync('.git', join(stack.tree, 'linked'));
  expect(places(await full())).toEqual(['megatron/linked']);
});

it('the quick check of the real stack takes less than the second that is promised', async () => {
  const lock = await loadStack(sharedHome, 'pip');
  if (lock === undefined) throw new Error('no stack');
  const before = execFileSync('ls', ['-l', join(sharedHome, 'stacks', 'pip')]).toString();
  // Collected, not taken: the stack of all tests is not written to.
  const manifest = await collectManifest(lock);
  expect(manifest.roots[0]?.packages.length).toBeGreaterThan(30);
  const began = performance.now();
  expect(quickDriftOf(manifest, lock)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(execFileSync('ls', ['-l', join(sharedHome, 'stacks', 'pip')]).toString()).toBe(before);
  expect(readFileSync(manifest.files[0]?.path ?? '').length).toBe(manifest.files[0]?.size);
});
