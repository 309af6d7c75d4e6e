import { chmodSync, linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { applyToTree, revertTree } from '../../../src/adapters/patches/engine.ts';
import { verifyTree } from '../../../src/adapters/patches/verify.ts';
import { git, newFolder, read, snapshot, write } from './git-tree.ts';
import { makeSample, options, requestOf } from './sample.ts';

const revert = (tree: string) => revertTree(tree, { ...options(), isDryRun: false });

describe('a folder of installed packages', () => {
  it('is patched without touching the other hard link of a file', async () => {
    const { upstream, request, seriesFolder, after } = await makeSample();
    const folder = newFolder();
    const site = join(folder, 'lib', 'site-packages');
    const cache = join(folder, 'cache');
    git(upstream, 'checkout-index', '-a', `--prefix=${cache}/`);
    for (const path of ['pkg/one.py', 'pkg/deep/two.py', 'run.sh', 'README']) {
      mkdirSync(join(site, path, '..'), { recursive: true });
      linkSync(join(cache, path), join(site, path));
    }
    const cached = snapshot(cache);
    const state = await applyToTree(site, await requestOf(seriesFolder, request.facts), options());
    expect(snapshot(site)).toEqual(after);
    expect(snapshot(cache)).toEqual(cached);
    expect(statSync(join(cache, 'README')).nlink).toBe(2);
    expect(statSync(join(cache, 'pkg/one.py')).nlink).toBe(1);
    expect(await verifyTree(site, state, new Map())).toEqual([]);
    await revert(site);
    expect(snapshot(site)).toEqual(cached);
    expect(snapshot(cache)).toEqual(cached);
    expect(readdirSync(join(folder, 'lib'))).toEqual(['site-packages']);
  });

  it('a hard link beside the tree is no way to change it: what is kept is a copy', async () => {
    const made = await makeSample();
    mkdirSync(join(made.home, 'elsewhere'));
    linkSync(join(made.tree, 'pkg/one.py'), join(made.home, 'elsewhere/one.py'));
    await applyToTree(made.tree, made.request, options());
    writeFileSync(join(made.home, 'elsewhere/one.py'), 'changed\n');
    await revertTree(made.tree, { ...options(), isDryRun: false });
    expect(read(made.tree, 'pkg/one.py')).toContain('one line 3\n');
  });

  it('loses an emptied package with its bytecode: Python would import the folder', async () => {
    const { tree, request, before } = await makeSample();
    await applyToTree(tree, request, options());
    write(tree, 'apex/__pycache__/__init__.cpython-312.pyc', Buffer.alloc(16));
    await revert(tree);
    expect(snapshot(tree)).toEqual(before);
  });

  it('refuses bytecode that Python would run without a look at the patched source', async () => {
    const { tree, request } = await makeSample();
    // PEP 552: 4 bytes magic, 4 bytes flags; 1: hash-based and never checked, 3: hash-based and checked.
    const compiled = (flags: number) =>
      Buffer.from([0xcb, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    write(tree, 'pkg/__pycache__/one.cpython-312.pyc', compiled(1));
    await expect(applyToTree(tree, request, options())).rejects.toThrow(
      /__pycache__\/one\.cpython-312\.pyc: Python would run this bytecode/,
    );
    write(tree, 'pkg/__pycache__/one.cpython-312.pyc', compiled(3));
    write(tree, 'pkg/__pycache__/one_more.cpython-312.pyc', compiled(1));
    await applyToTree(tree, request, options());
  });

  it('keeps unusual modes', async () => {
    const { tree, request } = await makeSample();
    chmodSync(join(tree, 'pkg/one.py'), 0o440);
    chmodSync(join(tree, 'run.sh'), 0o750);
    await applyToTree(tree, request, options());
    const modes = () => ['pkg/one.py', 'run.sh'].map((path) => statSync(join(tree, path)).mode & 0o7777);
    expect(modes()).toEqual([0o440, 0o750]);
    await revert(tree);
    expect(modes()).toEqual([0o440, 0o750]);
  });
});

describe('whatever git is told elsewhere', () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = { ...saved };
  });

  it.each(['ignores it', 'does not ignore it'])('a repository around the tree that %s', async (how) => {
    const { upstream, request, after } = await makeSample();
    const outer = newFolder();
    git(outer, 'init', '-q');
    if (how === 'ignores it') writeFileSync(join(outer, '.gitignore'), 'state/\n');
    const tree = join(outer, 'state', 'site-packages');
    git(upstream, 'checkout-index', '-a', `--prefix=${tree}/`);
    if (how !== 'ignores it') {
      git(outer, 'add', '-A');
      git(outer, 'commit', '-q', '-m', 'outer');
    }
    await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
  });

  it('a configuration of the user, of the tree and of the environment', async () => {
    const { tree, request, after } = await makeSample();
    const home = newFolder();
    const hostile =
      '[apply]\n\twhitespace = fix\n\tignorewhitespace = change\n[core]\n\tautocrlf = true\n\tsafecrlf = true\n' +
      '\tattributesFile = ~/attributes\n';
    writeFileSync(join(home, '.gitconfig'), hostile);
    writeFileSync(join(home, 'attributes'), '* text eol=crlf\n');
    git(tree, 'config', 'core.autocrlf', 'true');
    git(tree, 'config', 'apply.whitespace', 'fix');
    Object.assign(process.env, {
      ...{ HOME: home, XDG_CONFIG_HOME: home, GIT_DIR: join(tree, '.git'), GIT_WORK_TREE: tree },
      ...{ GIT_CONFIG_GLOBAL: join(home, '.gitconfig'), GIT_CONFIG_PARAMETERS: "'apply.whitespace=fix'" },
    });
    await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
    expect(read(tree, 'pkg/one.py')).toContain('one changed 3   \n');
  });

  it('a path with a colon, blanks and letters of other alphabets', async () => {
    const { upstream, request, after } = await makeSample();
    const tree = join(newFolder(), 'a:b c é', 'tree');
    git(upstream, 'checkout-index', '-a', `--prefix=${tree}/`);
    await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
  });

  it('no git at all: says how to get it, and changes nothing', async () => {
    const { tree, home, request, before } = await makeSample();
    const run = applyToTree(tree, request, { ...options(), path: newFolder() });
    await expect(run).rejects.toMatchObject({
      code: 'environment',
      hint: expect.stringContaining('install git') as string,
    });
    expect(snapshot(tree)).toEqual(before);
    expect(readdirSync(home)).toEqual(['megatron']);
  });
});
