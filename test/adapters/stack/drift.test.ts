import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { takeManifest } from '../../../src/adapters/stack/manifest.ts';
import { collectWheels } from '../../../src/adapters/stack/wheels.ts';
import { fullDrift, quickDrift } from '../../../src/adapters/stack/manifest-drift.ts';
import type { Drift } from '../../../src/core/stack/drift.ts';
import {
  addPackage,
  append,
  changeOneByte,
  removePackage,
  removeSmallStacks,
  rewrite,
  smallStack,
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

describe('changes that both find', () => {
  it('an edited file of an upstream, with its size and time', async () => {
    append(join(stack.tree, 'megatron/arguments.py'), '# more\n');
    const [drift] = await quick();
    expect(drift?.place).toBe('megatron/megatron/arguments.py');
    expect(drift?.expected).toMatch(/^15 bytes, written 20/);
    expect(drift?.found).toMatch(/^22 bytes, written 20/);
    expect(places(await full())).toEqual(['megatron/megatron/arguments.py']);
  });

  it('a package replaced by another version', async () => {
    removePackage(stack.site, 'alpha', '1.0');
    addPackage(stack.site, 'alpha', '1.1', { 'alpha/__init__.py': 'answer = 43\n' });
    const expected = {
      place: 'package alpha in site-packages',
      expected: 'version 1.0',
      found: 'version 1.1',
    };
    expect(await quick()).toEqual([expected]);
    expect(await full()).toContainEqual(expected);
  });

  it('the same version installed again', async () => {
    rewrite(join(stack.site, 'alpha-1.0.dist-info/RECORD'));
    expect(places(await quick())).toEqual(['site-packages/alpha-1.0.dist-info/RECORD']);
  });

  it('a package that came and one that went', async () => {
    removePackage(stack.site, 'alpha', '1.0');
    addPackage(stack.site, 'gamma', '3', { 'gamma/__init__.py': '' });
    const found = await quick();
    expect(found.map(({ place, found: now }) => `${place}: ${now}`)).toEqual([
      'package alpha in site-packages: not installed',
      'package gamma in site-packages: version 3',
      'site-packages/gamma: a file that no install put there',
    ]);
    expect(places(await full())).toEqual(expect.arrayContaining(places(found.slice(0, 2))));
  });

  it.each(['stray.py', 'stray.so', 'stray.pth', 'sitecustomize.py', 'folder/module.py'])(
    'a stray %s among the packages',
    async (name) => {
      write(join(stack.site, name), '');
      expect(places(await quick())).toEqual([`site-packages/${name.replace(/\/.*/, '')}`]);
      expect(places(await full())).toEqual([`site-packages/${name}`]);
    },
  );

  it('a module added to an upstream, but not bytecode, logs or a folder without modules', async () => {
    write(join(stack.tree, 'megatron/__pycache__/training.cpython-311.pyc'), 'x');
    write(join(stack.tree, 'log.txt'), 'x');
    mkdirSync(join(stack.site, 'empty'));
    expect(await quick()).toEqual([]);
    expect(await full()).toEqual([]);
    write(join(stack.tree, 'megatron/extra.cpython-311-x86_64-linux-gnu.so'), 'x');
    const stray = ['megatron/megatron/extra.cpython-311-x86_64-linux-gnu.so'];
    expect(places(await quick())).toEqual(stray);
    expect(places(await full())).toEqual(stray);
  });

  it('another commit in the work tree', async () => {
    const before = git(stack.tree, 'rev-parse', 'HEAD');
    git(stack.tree, '-c', 'user.name=a', '-c', 'user.email=a@b.c', 'commit', '-qam', 'second');
    const after = git(stack.tree, 'rev-parse', 'HEAD');
    const expected = { place: 'megatron', expected: `commit ${before}`, found: `commit ${after}` };
    expect(await quick()).toEqual([expected]);
    git(stack.tree, 'pack-refs', '--all');
    expect(await full()).toEqual([expected]);
    git(stack.tree, 'checkout', '--quiet', '--detach');
    expect(await quick()).toEqual([expected]);
  });

  it('a missing file, another interpreter, a replaced op, another mode', async () => {
    rmSync(join(stack.tree, 'megatron/arguments.py'));
    const op = join(stack.lock.ops.directory, 'cpu_adam', 'cpu_adam.so');
    writeFileSync(op, 'other machine code');
    expect(places(await quick()).sort()).toEqual(
      ['megatron/megatron/arguments.py', op.slice(stack.directory.length + 1)].sort(),
    );
    expect(await full()).toContainEqual(
      expect.objectContaining({ place: 'megatron/megatron/arguments.py', found: 'missing, or not readable' }),
    );
    chmodSync(join(stack.site, 'by_hand.py'), 0o700);
    expect(places(await quick())).toContain('site-packages/by_hand.py');
  });

  it('a link that leads nowhere, or round in a ring, is a link like others', async () => {
    const [ring, dangling] = ['ring.py', 'dangling.py'].map((name) => join(stack.tree, name));
    symlinkSync('ring.py', ring ?? '');
    symlinkSync('nowhere.py', dangling ?? '');
    expect(places(await quick())).toEqual(['megatron/dangling.py', 'megatron/ring.py']);
    await takeManifest(stack.lock);
    expect([await quick(), await full()]).toEqual([[], []]);
    rmSync(ring ?? '');
    symlinkSync('dangling.py', ring ?? '');
    expect(places(await full())).toEqual(['megatron/ring.py']);
  });

  it('a lock that is not the one of the manifest', async () => {
    const other = { ...stack.lock, hash: 'e'.repeat(64) };
    expect(places((await quickDrift(other)) ?? [])).toEqual(['lock.json']);
  });
});

describe('packages under the stack: an adopted Python, or one below an overlay', () => {
  it('are watched as its own are, by their place', async () => {
    const below = join(stack.home, 'below');
    addPackage(below, 'delta', '1', { 'delta/__init__.py': 'x = 1\n' });
    write(join(stack.site, 'overlay.pth'), `import site; site.addsitedir(${JSON.stringify(below)})\n`);
    await takeManifest(stack.lock);
    expect([await quick(), await full()]).toEqual([[], []]);
    changeOneByte(join(below, 'delta/__init__.py'));
    expect(places(await full())).toEqual([`${below}/delta/__init__.py`]);
    removePackage(below, 'delta', '1');
    addPackage(below, 'delta', '2', { 'delta/__init__.py': 'x = 2\n' });
    expect(places(await quick())).toEqual([`package delta in ${below}`]);
  });

  it('a stack whose Python does not run gets no manifest, and the reason is told', async () => {
    rmSync(stack.lock.python.path);
    writeFileSync(stack.lock.python.path, '#!/bin/sh\necho no such library >&2\nexit 127\n', { mode: 0o755 });
    await expect(takeManifest(stack.lock)).rejects.toMatchObject({
      code: 'install',
      message: expect.stringContaining('no such library') as string,
    });
  });
});

describe('what the packages came from', () => {
  it('is read from their metadata: the same files give the same content hash, whoever installed them', async () => {
    const before = await collectWheels(stack.lock, []);
    expect(before['alpha']).toMatchObject({ version: '1.0', file: null, installer: 'pip' });
    expect(before['alpha']?.content).toMatch(/^[0-9a-f]{64}$/);
    write(join(stack.site, 'alpha-1.0.dist-info/INSTALLER'), 'uv\n');
    const requirement = { name: 'alpha', version: '1.0', marker: null, via: [], hashes: ['sha256:77'] };
    const after = await collectWheels(stack.lock, [requirement]);
    expect(after['alpha']).toEqual({ ...before['alpha'], installer: 'uv', file: 'sha256:77' });
    expect(Object.keys(after)).toEqual(['alpha', 'deep_speed']);
  });
});
