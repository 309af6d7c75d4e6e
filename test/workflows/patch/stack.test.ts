import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadManifest } from '../../../src/adapters/stack/manifest.ts';
import { fullDrift, quickDrift } from '../../../src/adapters/stack/manifest-drift.ts';
import { tryMutex } from '../../../src/adapters/stack/mutex.ts';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { lockHashText } from '../../../src/core/stack/lock.ts';
import { verifyStack } from '../../../src/workflows/stacks/verify-stack.ts';
import { git, newFolder, read, snapshot, write } from '../../adapters/patches/git-tree.ts';
import { append, changeOneByte, writeLock } from '../../adapters/stack/small-stack.ts';
import { ctx, lockNow, made, patch, tree } from './context.ts';
import { stack } from '../stacks/context.ts';

describe('superoffload patch', () => {
  it('patches every upstream; the lock and its manifest tell the truth, before and after a revert', async () => {
    const site = snapshot(join(stack.site, 'deepspeed'));
    const first = await lockNow();
    const { text, code } = await patch();
    expect(code).toBe(0);
    expect(text).toContain(`deepspeed: 1 patch and 0 files of ours are applied to ${stack.site}`);
    expect(text).toContain(`megatron: 4 patches and 2 files of ours are applied to ${tree}`);
    expect(snapshot(tree)).toEqual(made.after);

    const lock = await lockNow();
    expect(lock.upstreams.megatron?.patches?.applied).toHaveLength(4);
    expect(lock.upstreams.megatron?.tree).not.toBe(first.upstreams.megatron?.tree);
    expect(lock.upstreams.deepspeed?.tree).not.toBe(first.upstreams.deepspeed?.tree);
    expect(lock.hash).not.toBe(first.hash);
    expect(lock.hash).toBe(createHash('sha256').update(lockHashText(lock)).digest('hex'));
    expect((await loadManifest(lock))?.lockHash).toBe(lock.hash);
    expect((await fullDrift(lock)).drifts).toEqual([]);

    expect(await patch('--verify')).toMatchObject({ code: 0 });
    const again = readFileSync(stackPaths(ctx.home, 'pip').lock, 'utf8');
    await patch();
    expect(readFileSync(stackPaths(ctx.home, 'pip').lock, 'utf8')).toBe(again);

    const reverted = await patch('--revert');
    expect(reverted.text).toContain('patch it again: superoffload patch --stack pip');
    expect(reverted.text).toContain('restored  pkg/one.py');
    expect(snapshot(tree)).toEqual(made.before);
    expect(git(tree, 'status', '--porcelain', '--ignored')).toBe('');
    expect(snapshot(join(stack.site, 'deepspeed'))).toEqual(site);
    const last = await lockNow();
    expect(last.upstreams.megatron?.patches).toBeNull();
    expect((await fullDrift(last)).drifts).toEqual([]);
    await patch();
    expect((await lockNow()).hash).toBe(lock.hash);
  });

  it('--list and --check say how far each patch is, and change nothing', async () => {
    const lock = read(stack.directory, 'lock.json');
    const before = await patch('--list');
    expect(before.text).toMatch(/^not applied {2}0001 {2}0001-one\.patch$/m);
    expect(before.text).toContain('a test');
    expect((await patch('--check')).text).toContain(
      'megatron: 4 patches and 2 files of ours would be applied',
    );
    expect((await patch('--dry-run')).code).toBe(0);
    expect(snapshot(tree)).toEqual(made.before);
    expect(read(stack.directory, 'lock.json')).toBe(lock);
    await patch();
    expect((await patch('--list')).text).toMatch(/^applied {6}apex\/__init__\.py$/m);
    expect((await patch('--check')).text).toContain('are applied; nothing to do');
    const dry = await patch('--revert', '--dry-run', '--json');
    const { upstreams } = JSON.parse(dry.text) as { upstreams: { upstream: string; restored: string[] }[] };
    expect(upstreams.find(({ upstream }) => upstream === 'deepspeed')?.restored).toEqual([
      'deepspeed/builder.py',
    ]);
    expect(snapshot(tree)).toEqual(made.after);
  });

  it('--verify exits with 3 and lists every difference', async () => {
    expect(await patch('--verify')).toMatchObject({ code: 3 });
    await patch();
    write(tree, 'pkg/one.py', 'mine\n');
    git(tree, 'checkout', '-q', '--', 'run.sh');
    write(tree, 'apex/__init__.py', 'mine\n');
    rmSync(join(tree, 'apex/optimizers/__init__.py'));
    const { text, code } = await patch('--verify');
    expect(code).toBe(3);
    expect(text).toMatch(/pkg\/one\.py: the patched file was changed \(expected \w{40}, found \w{40}\)/);
    expect(text).toMatch(/run\.sh: the patch is missing: the file is as upstream/);
    expect(text).toMatch(
      /apex\/__init__\.py: the overlay file was changed \(expected \w{64}, found \w{64}\)/,
    );
    expect(text).toMatch(/apex\/optimizers\/__init__\.py: the overlay file is missing/);
    expect(text).toContain(`deepspeed: ${stack.site} is as the lock and the series say`);
  });

  it('--verify sees that the series has more than the stack, and that the lock knows nothing of a patched tree', async () => {
    await patch();
    const folder = join(ctx.packageRoot, 'patches/megatron');
    const series = JSON.parse(read(folder, 'series.json')) as { title: string };
    writeFileSync(join(folder, 'series.json'), JSON.stringify({ ...series, title: 'another' }));
    expect((await patch('--verify')).text).toContain('patched with another series than the one at hand');
    await patch();
    expect((await patch('--verify')).code).toBe(0);
    const lock = await lockNow();
    const { megatron } = lock.upstreams;
    writeLock(stack.directory, {
      ...lock,
      upstreams: { ...lock.upstreams, megatron: { ...megatron, patches: null } },
    });
    const { text, code } = await patch('--verify');
    expect([code, text]).toEqual([
      3,
      expect.stringContaining('the tree is patched, and the lock does not say so'),
    ]);
  });

  it('what does not apply: --check exits with 3, patch is refused, and the lock tells of what was patched', async () => {
    write(tree, 'run.sh', 'mine\n', 0o755);
    const { text, code } = await patch('--check');
    expect(code).toBe(3);
    expect(text).toMatch(
      /run\.sh: 0003-run\.patch expects blob \w{40}, found blob \w{40}: the file has local changes/,
    );
    await expect(patch()).rejects.toMatchObject({ code: 'environment' });
    const { upstreams } = await lockNow();
    expect(upstreams.deepspeed?.patches?.applied).toHaveLength(1);
    expect(upstreams.megatron?.patches).toBeNull();
  });

  it('refuses a stack that is not there or is being installed, and two actions at once', async () => {
    await expect(patch('--list', '--stack', 'fork')).rejects.toMatchObject({ code: 'environment' });
    await expect(patch('--list', '--stack', '../stacks/pip')).rejects.toMatchObject({ code: 'usage' });
    await expect(patch('--list', '--revert')).rejects.toMatchObject({ code: 'usage' });
    const held = await tryMutex(stackPaths(ctx.home, 'pip').mutex);
    await expect(patch()).rejects.toThrow(/is installing or patching stack pip/);
    if ('release' in held) await held.release();
  });

  it('what somebody else changed is refused, and never looks installed afterwards', async () => {
    await patch();
    const before = await lockNow();
    append(join(tree, 'README'), 'mine');
    const loud = /was changed, and not by a patch:\n {2}megatron\/README: /;
    await expect(patch()).rejects.toThrow(loud);
    await expect(patch('--revert')).rejects.toThrow(loud);
    expect(await lockNow()).toEqual(before);
    git(tree, 'checkout', '-q', '--', 'README');
    expect((await verifyStack(ctx, 'pip', { dryRun: false })).renewed).toBe(true);
    changeOneByte(join(tree, 'README'));
    await patch('--revert');
    const { drifts } = await fullDrift(await lockNow());
    expect(drifts.map(({ place }) => place)).toEqual(['megatron/README']);
  });

  it('mends a patch that was undone by hand, so that a run is allowed again', async () => {
    await patch();
    git(tree, 'checkout', '-q', '--', 'run.sh');
    expect(await quickDrift(await lockNow())).toHaveLength(1);
    await patch();
    expect(await quickDrift(await lockNow())).toEqual([]);
  });

  it('is refused where the manifest is lost', async () => {
    rmSync(join(stack.directory, 'manifest.json'));
    await expect(patch()).rejects.toThrow(/manifest\.json: missing, or damaged/);
    expect(snapshot(tree)).toEqual(made.before);
  });

  it('a revert whose upstream content is gone says so, and changes nothing', async () => {
    await patch();
    rmSync(join(tree, '..', '.megatron.patches'), { recursive: true });
    await expect(patch('--revert')).rejects.toThrow(/is patched, but its own files are not kept/);
    expect(snapshot(tree)).toEqual(made.after);
    expect((await lockNow()).upstreams.megatron?.patches).not.toBeNull();
  });

  it('patched modules are what Python runs', async () => {
    const run = () =>
      execFileSync(stack.lock.python.path, ['-c', 'import deepspeed.builder as b; print(b.arch)'], {
        ...{ encoding: 'utf8', cwd: newFolder(), env: {} },
      }).trim();
    expect(run()).toBe('10.0');
    await patch();
    expect(run()).toBe('10.0a');
    await patch('--revert');
    expect(run()).toBe('10.0');
  });

  it('a stack without upstreams has nothing to patch', async () => {
    writeLock(stack.directory, { ...stack.lock, upstreams: {} });
    expect(await patch()).toEqual({
      code: 0,
      text: expect.stringContaining('Nothing in stack pip') as string,
    });
    expect(JSON.parse((await patch('--list', '--json')).text)).toMatchObject({
      action: 'list',
      upstreams: [],
    });
  });
});
