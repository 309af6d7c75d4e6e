import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { applyToTree, rehearse, revertTree } from '../../../src/adapters/patches/engine.ts';
import { verifyTree } from '../../../src/adapters/patches/verify.ts';
import * as sample from './sample.ts';
import {
  git,
  makeSample,
  makeSeries,
  options,
  read,
  replaceLine,
  requestOf,
  snapshot,
  write,
} from './sample.ts';

const revert = (tree: string) => revertTree(tree, { ...options(), isDryRun: false });

describe('applying a series', () => {
  it('gives what git alone gives, keeps the modes, and reverts to a clean work tree', async () => {
    const { home, tree, request, before, after } = await makeSample();
    const state = await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
    expect(statSync(join(tree, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(state.applied.map(({ file }) => file)).toEqual(sample.sampleEdits.map(({ name }) => name));
    for (const { path, blob } of state.files) expect(git(tree, 'hash-object', path).trim()).toBe(blob);
    expect(await verifyTree(tree, state, new Map())).toEqual([]);

    const reverted = await revert(tree);
    expect(reverted.restored.sort()).toEqual(['pkg/deep/two.py', 'pkg/one.py', 'run.sh']);
    expect(reverted.removed.sort()).toEqual([
      'apex/__init__.py',
      'apex/optimizers/__init__.py',
      'pkg/extra/new.py',
    ]);
    expect(snapshot(tree)).toEqual(before);
    expect(git(tree, 'status', '--porcelain', '--ignored')).toBe('');
    expect(readdirSync(home)).toEqual(['megatron']);
    expect(await revert(tree)).toEqual({ restored: [], removed: [] });
  });

  it('does nothing the second time: no file is written again', async () => {
    const { tree, home, request } = await makeSample();
    const first = await applyToTree(tree, request, options());
    const inodes = () =>
      readdirSync(home, { recursive: true, encoding: 'utf8' }).map((path) => {
        const { ino, mtimeMs } = statSync(join(home, path));
        return [path, ino, mtimeMs];
      });
    const old = inodes();
    const steps: string[] = [];
    expect(
      await applyToTree(
        tree,
        request,
        options((line) => steps.push(line)),
      ),
    ).toEqual(first);
    expect(inodes()).toEqual(old);
    expect(steps).toEqual([]);
  });

  it('heals a patched file that was put back, and one of ours that was removed', async () => {
    const { tree, request, after } = await makeSample();
    await applyToTree(tree, request, options());
    git(tree, 'checkout', '-q', '--', 'pkg/one.py');
    git(tree, 'clean', '-q', '-f', '-d', 'apex');
    await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
    await revert(tree);
    expect(git(tree, 'status', '--porcelain')).toBe('');
  });

  it('goes from one series to another: what is no longer patched is as upstream again', async () => {
    const { tree, upstream, request, before, seriesFolder, home } = await makeSample();
    await applyToTree(tree, request, options());
    const next = join(sample.newFolder(), 'series');
    const edit = replaceLine('pkg/deep/two.py', 'two line 2', 'two of the next series');
    const overlay = { 'apex/__init__.py': 'overlay = 2\n' };
    makeSeries(next, upstream, { edits: [{ name: '0001-next.patch', edit }], overlay });
    const wanted = await requestOf(next, request.facts);
    expect((await rehearse(tree, wanted, options())).plan.status).toBe('ready');
    await applyToTree(tree, wanted, options());
    expect(git(tree, 'status', '--porcelain', '-uall').trim().split('\n')).toEqual([
      'M pkg/deep/two.py',
      '?? apex/__init__.py',
    ]);
    expect(read(tree, 'pkg/deep/two.py')).toContain('two of the next series');
    await applyToTree(tree, await requestOf(seriesFolder, request.facts), options());
    await revert(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(readdirSync(home)).toEqual(['megatron']);
  });

  it('leaves out what a condition excludes, and says why', async () => {
    const edits = sample.sampleEdits.map((edit) =>
      edit.name.startsWith('0003') ? { ...edit, when: { torch: '>=2.6,<2.12' } } : edit,
    );
    const { tree, request } = await makeSample({ edits });
    const state = await applyToTree(tree, request, options());
    expect(state.skipped).toEqual([
      { file: '0003-run.patch', reason: 'torch is 2.15.0+cpu, not >=2.6,<2.12' },
    ]);
    expect(git(tree, 'status', '--porcelain', 'run.sh')).toBe('');
  });

  it('rehearses on copies: the tree and what lies beside it stay', async () => {
    const { tree, home, request, before } = await makeSample();
    const seen = await rehearse(tree, request, options());
    expect(seen.plan.status).toBe('ready');
    expect(snapshot(tree)).toEqual(before);
    expect(readdirSync(home)).toEqual(['megatron']);
  });
});

describe('a folder of installed packages', () => {
  it('is patched without touching the other hard link of a file', async () => {
    const { upstream, request, seriesFolder, after } = await makeSample();
    const folder = sample.newFolder();
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
    const outer = sample.newFolder();
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
    const home = sample.newFolder();
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
    const tree = join(sample.newFolder(), 'a:b c é', 'tree');
    git(upstream, 'checkout-index', '-a', `--prefix=${tree}/`);
    await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
  });

  it('no git at all: says how to get it, and changes nothing', async () => {
    const { tree, home, request, before } = await makeSample();
    const run = applyToTree(tree, request, { ...options(), path: sample.newFolder() });
    await expect(run).rejects.toMatchObject({
      code: 'environment',
      hint: expect.stringContaining('install git') as string,
    });
    expect(snapshot(tree)).toEqual(before);
    expect(readdirSync(home)).toEqual(['megatron']);
  });
});

describe('two at once', () => {
  it('both succeed, and the tree is patched once', async () => {
    const { tree, home, request, after } = await makeSample();
    const steps: string[][] = [[], [], []];
    const states = await Promise.all(
      steps.map((told) =>
        applyToTree(
          tree,
          request,
          options((line) => told.push(line)),
        ),
      ),
    );
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1);
    expect(steps.flat().filter((line) => line === 'wrote pkg/one.py')).toHaveLength(1);
    expect(snapshot(tree)).toEqual(after);
    expect(readdirSync(home).sort()).toEqual(['.megatron.patches', 'megatron']);
    const record = JSON.parse(readFileSync(join(home, '.megatron.patches/record.json'), 'utf8')) as {
      backup: string;
    };
    expect(readdirSync(join(home, '.megatron.patches')).sort()).toEqual(
      [record.backup, 'record.json'].sort(),
    );
  });

  it('stops on request while it waits or works', async () => {
    const { tree, request, before } = await makeSample();
    const abort = new AbortController();
    const reason = new Error('stopped');
    const onStep = (): void => {
      abort.abort(reason);
    };
    await expect(applyToTree(tree, request, { ...options(onStep), signal: abort.signal })).rejects.toBe(
      reason,
    );
    expect(snapshot(tree)).toEqual(before);
    expect(existsSync(join(tree, '..', '.megatron.patches'))).toBe(false);
  });
});
