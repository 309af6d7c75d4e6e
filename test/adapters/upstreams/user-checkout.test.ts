import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { everythingOf, fetchInto, refusal, text } from './fetching.ts';
import { git, gitEnv, makeFolder, makeUpstream, write } from './repositories.ts';

describe("a checkout of the user's", () => {
  const ofCheckout = { isDefaultRef: true, commit: '1'.repeat(40) };

  it('gives its HEAD and its tracked changes, which are recorded; untracked files are named; it is never altered', async () => {
    const { folder, head } = makeUpstream();
    write(folder, {
      'megatron/training.py': 'my change\n',
      'staged.py': 'staged\n',
      'notes.txt': 'untracked\n',
    });
    writeFileSync(join(folder, 'binary.dat'), Buffer.from([0, 255, 254, 0, 10, 200]));
    writeFileSync(join(folder, 'latin1.txt'), Buffer.from('Stra\xdfe\n', 'latin1'));
    git(folder, 'add', 'staged.py', 'binary.dat', 'latin1.txt');
    rmSync(join(folder, 'megatron/new.py'));
    chmodSync(join(folder, 'run.sh'), 0o644);
    const before = everythingOf(folder);
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: folder, ...ofCheckout });
    expect(everythingOf(folder)).toEqual(before);
    expect([tree.commit, tree.ref, tree.url]).toEqual([head, 'HEAD', folder]);
    expect(tree.dirtyDiffSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(tree.notes).toEqual([`megatron: 1 untracked in ${folder} did not come along: notes.txt`]);
    expect(text(directory, 'megatron/training.py')).toBe('my change\n');
    expect(text(directory, 'staged.py')).toBe('staged\n');
    expect(readFileSync(join(directory, 'binary.dat'))).toEqual(Buffer.from([0, 255, 254, 0, 10, 200]));
    expect(readFileSync(join(directory, 'latin1.txt'), 'latin1')).toBe('Stra\xdfe\n');
    expect(existsSync(join(directory, 'megatron/new.py'))).toBe(false);
    expect(existsSync(join(directory, 'notes.txt'))).toBe(false);
    expect(lstatSync(join(directory, 'run.sh')).mode & 0o111).toBe(0);

    const again = await fetchInto(directory, { source: folder, ...ofCheckout });
    expect(again).toEqual(tree);
    write(folder, { 'megatron/training.py': 'another change\n' });
    const other = await fetchInto(directory, { source: folder, ...ofCheckout });
    expect(other.dirtyDiffSha256).not.toBe(tree.dirtyDiffSha256);
    expect(text(directory, 'megatron/training.py')).toBe('another change\n');
    expect(other.notes).toHaveLength(1);
  });

  it('is not altered where its index is out of date, and its own configuration runs nothing', async () => {
    const { folder, head } = makeUpstream();
    const canary = join(makeFolder(), 'canary');
    git(folder, 'config', 'diff.external', `touch '${canary}'`);
    git(folder, 'config', 'core.fsmonitor', `touch '${canary}'`);
    git(folder, 'config', 'color.ui', 'always');
    git(folder, 'config', 'diff.noprefix', 'true');
    write(folder, { 'megatron/new.py': 'new\n', 'megatron/training.py': 'changed\n' });
    const before = everythingOf(folder);
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: folder, ...ofCheckout });
    expect(everythingOf(folder)).toEqual(before);
    expect(tree.commit).toBe(head);
    expect(text(directory, 'megatron/training.py')).toBe('changed\n');
    expect(existsSync(canary)).toBe(false);
  });

  it('that a user of Windows line endings has is clean', async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    writeFileSync(join(folder, 'gitconfig'), '[core]\n\tautocrlf = true\n');
    const env = { ...gitEnv, GIT_CONFIG_GLOBAL: join(folder, 'gitconfig') };
    execFileSync('git', ['clone', '--quiet', upstream.folder, 'mine'], { cwd: folder, env });
    expect(text(folder, 'mine/megatron/training.py')).toBe('third\r\n');
    const tree = await fetchInto(join(folder, 'm'), { source: join(folder, 'mine'), ...ofCheckout }, { env });
    expect(tree.dirtyDiffSha256).toBeNull();
    expect(text(folder, 'm/megatron/training.py')).toBe('third\n');
  });

  it('with another commit asked for: its changes stay where they are, and that is said', async () => {
    const { folder, first } = makeUpstream();
    write(folder, { 'megatron/training.py': 'my change\n' });
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: folder, ref: 'main' });
    expect([tree.commit, tree.dirtyDiffSha256]).toEqual([first, null]);
    expect(tree.notes[0]).toContain('did not come along');
    expect(text(directory, 'megatron/training.py')).toBe('first\n');
  });

  it("a branch that only the clone's remote has is found", async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    git(folder, 'clone', '--quiet', '--branch', 'main', upstream.folder, 'mine');
    const tree = await fetchInto(join(folder, 'm'), { source: join(folder, 'mine') });
    expect(tree.commit).toBe(upstream.head);
  });

  it('that is a worktree (its .git is a file) works', async () => {
    const upstream = makeUpstream();
    const folder = join(makeFolder(), 'worktree');
    git(upstream.folder, 'worktree', 'add', '--quiet', '--detach', folder, upstream.second);
    write(folder, { 'megatron/training.py': 'of the worktree\n' });
    const before = [everythingOf(folder), everythingOf(upstream.folder)];
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: folder, ...ofCheckout });
    expect(tree.commit).toBe(upstream.second);
    expect(text(directory, 'megatron/training.py')).toBe('of the worktree\n');
    expect([everythingOf(folder), everythingOf(upstream.folder)]).toEqual(before);
  });

  it('that is shallow gives what it has, and says what it has not', async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    git(
      folder,
      'clone',
      '--quiet',
      '--depth=1',
      '--branch=superoffload',
      `file://${upstream.folder}`,
      'shallow',
    );
    const source = join(folder, 'shallow');
    expect((await fetchInto(join(folder, 'm'), { source, ...ofCheckout })).commit).toBe(upstream.head);
    expect((await fetchInto(join(folder, 'n'), { source })).commit).toBe(upstream.head);
    const error = await refusal(fetchInto(join(folder, 'o'), { source, commit: upstream.first }));
    expect(error.message).toContain(`has no commit ${upstream.first}`);
  });

  it('in the middle of a merge, or changed where a filter rewrites files, is refused with the file', async () => {
    const { folder } = makeUpstream();
    write(folder, { 'weights.big': 'changed\n' });
    const filtered = await refusal(fetchInto(join(makeFolder(), 'm'), { source: folder, ...ofCheckout }));
    expect(filtered.message).toContain('weights.big is changed, and git stores it by the filter "canary"');
    git(folder, 'checkout', '--quiet', '--', 'weights.big');
    git(folder, 'checkout', '--quiet', '-b', 'theirs', 'main');
    write(folder, { 'megatron/training.py': 'theirs\n' });
    git(folder, 'commit', '--quiet', '--all', '-m', 'theirs');
    expect(() => git(folder, 'merge', '--quiet', 'superoffload')).toThrow();
    const merging = await refusal(fetchInto(join(makeFolder(), 'm'), { source: folder, ...ofCheckout }));
    expect(merging.message).toContain('is in the middle of a merge');
  });

  it('without a commit is refused', async () => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet');
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: folder, ...ofCheckout }));
    expect(error.message).toContain('has no commit yet');
  });

  it('that somebody else owns is refused with the command that allows it', async (context) => {
    const { folder } = makeUpstream();
    if (process.getuid?.() !== 0) context.skip('giving a folder to somebody else needs root');
    chownSync(folder, 12345, 12345);
    chownSync(join(folder, '.git'), 12345, 12345);
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: folder, ...ofCheckout }));
    expect(error.hint).toContain(`git config --global --add safe.directory ${folder}`);
  });
});

describe('a path', () => {
  it('may be relative, in the home folder, or a link', async () => {
    const upstream = makeUpstream();
    const home = join(upstream.folder, '..');
    symlinkSync(upstream.folder, join(home, 'link'));
    for (const source of ['upstream', './upstream', '~/upstream', 'link']) {
      const context = { cwd: home, env: { ...gitEnv, HOME: home } };
      const tree = await fetchInto(join(makeFolder(), 'm'), { source, commit: upstream.head }, context);
      expect(tree.url).toBe(upstream.folder);
    }
  });

  it.each([
    ['nothing', 'none', 'is not there'],
    ['a URL without its scheme', 'github.com/NVIDIA/apex', 'is not there'],
    ['a file', 'upstream/run.sh', 'is no folder'],
    ['a folder of a repository', 'upstream/megatron', 'is not the top of a git repository'],
    ['an empty .git', 'fake', 'is not the top of a git repository'],
    ['an unpacked archive', 'archive', 'is not the top of a git repository'],
  ])('%s is refused', async (_title, source, message) => {
    const cwd = join(makeUpstream().folder, '..');
    mkdirSync(join(cwd, 'fake/.git'), { recursive: true });
    mkdirSync(join(cwd, 'archive'));
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source }, { cwd }));
    expect(error.message).toContain(message);
    if (source.startsWith('github'))
      expect(error.hint).toContain('--source megatron=https://github.com/NVIDIA/apex');
  });
});
