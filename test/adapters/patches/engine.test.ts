import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyToTree, rehearse, revertTree } from '../../../src/adapters/patches/engine.ts';
import { verifyTree } from '../../../src/adapters/patches/verify.ts';
import { git, newFolder, read, snapshot } from './git-tree.ts';
import { makeSample, makeSeries, options, replaceLine, requestOf, sampleEdits } from './sample.ts';

const revert = (tree: string) => revertTree(tree, { ...options(), isDryRun: false });

describe('applying a series', () => {
  it('gives what git alone gives, keeps the modes, and reverts to a clean work tree', async () => {
    const { home, tree, request, before, after } = await makeSample();
    const state = await applyToTree(tree, request, options());
    expect(snapshot(tree)).toEqual(after);
    expect(statSync(join(tree, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(state.applied.map(({ file }) => file)).toEqual(sampleEdits.map(({ name }) => name));
    for (const { path, blob } of state.files) expect(git(tree, 'hash-object', path).trim()).toBe(blob);
    expect(await verifyTree(tree, state, new Map())).toEqual([]);

    const reverted = await revert(tree);
    expect([...reverted.restored].sort()).toEqual(['pkg/deep/two.py', 'pkg/one.py', 'run.sh']);
    expect([...reverted.removed].sort()).toEqual([
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
    const next = join(newFolder(), 'series');
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
    const edits = sampleEdits.map((edit) =>
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
