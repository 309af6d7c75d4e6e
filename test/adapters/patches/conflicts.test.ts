import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { applyToTree, rehearse, revertTree } from '../../../src/adapters/patches/engine.ts';
import { runChild } from './child.ts';
import { git, newFolder, read, snapshot, write } from './git-tree.ts';
import { refusal } from './refusal.ts';
import { makeSample, options, replaceLine, requestOf } from './sample.ts';
import type { Sample } from './sample.ts';

const mounts: string[] = [];
afterAll(() => {
  for (const folder of mounts) execFileSync('umount', ['-l', folder]);
});

const blobOf = (made: Sample, path: string): string => git(made.tree, 'hash-object', path).trim();
const before = (made: Sample, path: string): string => git(made.upstream, 'rev-parse', `HEAD:${path}`).trim();

describe('what fails to apply names patch, file, expected and found blob, and changes nothing', () => {
  it('a local change', async () => {
    const made = await makeSample();
    replaceLine('pkg/deep/two.py', 'two line 9', 'mine')(made.tree);
    const { message, hint, code } = await refusal(made);
    expect(code).toBe('environment');
    expect(message).toBe(
      `${made.tree}/pkg/deep/two.py: 0002-one-and-two.patch expects blob ${before(made, 'pkg/deep/two.py')}, ` +
        `found blob ${blobOf(made, 'pkg/deep/two.py')}: the file has local changes`,
    );
    expect(hint).toContain('keep the change elsewhere');
    const seen = await rehearse(made.tree, made.request, options());
    expect(seen.plan.status).toBe('blocked');
  });

  it('an upstream that moved', async () => {
    const made = await makeSample();
    replaceLine('pkg/one.py', 'one line 9', 'theirs')(made.tree);
    git(made.tree, 'commit', '-q', '-a', '-m', 'moved');
    const commit = git(made.tree, 'rev-parse', 'HEAD').trim();
    const request = await requestOf(made.seriesFolder, { ...made.request.facts, commit });
    const { message, hint } = await refusal({ ...made, request });
    expect(message).toMatch(
      /one\.py: 0001-one\.patch expects blob [0-9a-f]{40}, found blob [0-9a-f]{40}: the upstream has another content/,
    );
    expect(hint).toContain('use the commit or version that the series lists');
  });

  it('an upstream that moved elsewhere only is patched: the blob ids decide', async () => {
    const made = await makeSample();
    write(made.tree, 'README', 'another\n');
    git(made.tree, 'commit', '-q', '-a', '-m', 'moved');
    const commit = git(made.tree, 'rev-parse', 'HEAD').trim();
    await applyToTree(
      made.tree,
      await requestOf(made.seriesFolder, { ...made.request.facts, commit }),
      options(),
    );
    expect(read(made.tree, 'pkg/one.py')).toContain('one changed 3');
  });

  it('a tree with CRLF line ends', async () => {
    const made = await makeSample();
    rmSync(made.tree, { recursive: true });
    git(made.home, 'clone', '-q', '-c', 'core.autocrlf=true', made.upstream, made.tree);
    expect(read(made.tree, 'pkg/one.py')).toContain('\r\n');
    const { message, hint } = await refusal(made);
    expect(message).toMatch(/one\.py: .*only the line ends differ: the file has CRLF, the upstream LF/);
    expect(hint).toContain('core.autocrlf false');
  });

  it('a missing file, an overlay path that is taken, a link in the place of a file: all at once', async () => {
    const made = await makeSample();
    rmSync(join(made.tree, 'run.sh'));
    write(made.tree, 'apex/__init__.py', 'theirs\n');
    renameSync(join(made.tree, 'pkg/one.py'), join(made.tree, 'pkg/other.py'));
    symlinkSync('other.py', join(made.tree, 'pkg/one.py'));
    const { message } = await refusal(made);
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/one\.py: 0001-one\.patch expects .*: it is a symbolic link$/),
      expect.stringMatching(/run\.sh: 0003-run\.patch expects blob \w+, found none: the file is missing$/),
      expect.stringMatching(
        /apex\/__init__\.py: the series expects no such file, found blob \w+: there is such a file already$/,
      ),
    ]);
  });

  it('a file that a patch makes and that is there, and a folder that leads out of the tree', async () => {
    const made = await makeSample();
    const outside = newFolder();
    write(outside, 'two.py', read(made.tree, 'pkg/deep/two.py'));
    rmSync(join(made.tree, 'pkg/deep'), { recursive: true });
    symlinkSync(outside, join(made.tree, 'pkg/deep'));
    symlinkSync(outside, join(made.tree, 'apex'));
    write(made.tree, 'pkg/extra/new.py', 'theirs\n');
    const { message } = await refusal(made);
    expect(message).toMatch(/two\.py: .*it lies behind the symbolic link pkg\/deep/);
    expect(message).toMatch(/apex\/__init__\.py: .*it lies behind the symbolic link apex/);
    expect(message).toMatch(
      /new\.py: 0004-new\.patch expects no such file, .*: there is such a file already/,
    );
    expect(snapshot(outside)).toEqual({ 'two.py': expect.any(String) as string });
  });

  it('a patched file that was changed since: neither patched again nor reverted', async () => {
    const made = await makeSample();
    await applyToTree(made.tree, made.request, options());
    writeFileSync(join(made.tree, 'pkg/one.py'), 'mine\n');
    writeFileSync(join(made.tree, 'apex/__init__.py'), 'mine\n');
    const { message } = await refusal(made);
    expect(message).toMatch(/one\.py: 0001-one\.patch expects .*: it was changed after it was patched/);
    expect(message).toMatch(/apex\/__init__\.py: the series expects .*: it was changed after it was patched/);
    const now = snapshot(made.tree);
    await expect(revertTree(made.tree, { ...options(), isDryRun: false })).rejects.toThrow(
      message.split(' ')[0],
    );
    expect(snapshot(made.tree)).toEqual(now);
  });

  it('an upstream content that was changed or lost beside the tree', async () => {
    const made = await makeSample();
    await applyToTree(made.tree, made.request, options());
    const record = JSON.parse(read(made.home, '.megatron.patches/record.json')) as { backup: string };
    const kept = join(made.home, '.megatron.patches', record.backup, 'upstream/pkg/one.py');
    writeFileSync(kept, 'rotten\n');
    const now = snapshot(made.tree);
    const run = revertTree(made.tree, { ...options(), isDryRun: false });
    await expect(run).rejects.toThrow(/expected blob \w+, found blob \w+/);
    expect(snapshot(made.tree)).toEqual(now);
  });
});

describe('folders and disks that refuse', () => {
  it('a read-only file is patched, its mode kept', async () => {
    const made = await makeSample();
    chmodSync(join(made.tree, 'pkg/one.py'), 0o444);
    await applyToTree(made.tree, made.request, options());
    expect(read(made.tree, 'pkg/one.py')).toContain('one changed 3');
  });

  it('a read-only folder in the middle: what was written before it is put back', async () => {
    const made = await makeSample();
    chmodSync(join(made.tree, 'pkg/deep'), 0o555);
    const now = snapshot(made.tree);
    // Root may write anywhere, so the engine runs as nobody there.
    const user = process.getuid?.() === 0 ? 65534 : undefined;
    if (user !== undefined) execFileSync('chown', ['-R', `${user}:${user}`, join(made.home, '..')]);
    const end = await runChild({
      tree: made.tree,
      seriesFolder: made.seriesFolder,
      facts: made.request.facts,
      user,
    });
    expect(end.told).toContain('wrote pkg/one.py');
    expect(end.failure).toMatch(/^environment: cannot use .*pkg\/deep\/two\.py: permission denied/);
    expect(snapshot(made.tree)).toEqual(now);
    expect(readdirSync(made.home)).toEqual(['megatron']);
  });

  it('a full disk', async (context) => {
    const folder = newFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'superoffload-test', folder]).status !== 0) {
      context.skip('mounting a tmpfs needs root');
    }
    mounts.push(folder);
    const made = await makeSample();
    const [home, tree] = [folder, join(folder, 'megatron')];
    git(made.upstream, 'checkout-index', '-a', `--prefix=${tree}/`);
    try {
      writeFileSync(join(home, 'filler'), Buffer.alloc(2 ** 20));
    } catch {
      // Full is what it should be.
    }
    const { message } = await refusal({ ...made, home, tree });
    expect(message).toMatch(/^cannot use .*: the disk is full$/);
    rmSync(join(home, 'filler'));
    await applyToTree(tree, made.request, options());
    expect(snapshot(tree)).toEqual(made.after);
  });

  it('a tree that is not there', async () => {
    const made = await makeSample();
    const run = applyToTree(join(made.home, 'absent'), made.request, options());
    await expect(run).rejects.toMatchObject({ code: 'environment' });
  });
});
