import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { everythingOf, fetchInto, refusal, text } from './fetching.ts';
import { git, gitEnv, makeBare, makeFolder, makeUpstream, write } from './repositories.ts';

describe('the same again', () => {
  it('touches no file, and asks nobody for a pinned commit', async () => {
    const upstream = makeUpstream();
    const bare = makeBare(upstream);
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: bare, commit: upstream.head });
    const before = lstatSync(join(directory, 'run.sh'));
    const inode = lstatSync(directory).ino;
    const asked = { source: 'http://127.0.0.1:1/x', commit: upstream.head };
    expect((await fetchInto(directory, asked)).url).toBe(asked.source);
    const after = lstatSync(join(directory, 'run.sh'));
    expect([after.mtimeMs, after.ino, lstatSync(directory).ino]).toEqual([before.mtimeMs, before.ino, inode]);
  });

  it('follows a branch that moved', async () => {
    const upstream = makeUpstream();
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: upstream.folder });
    write(upstream.folder, { 'megatron/training.py': 'fourth\n' });
    git(upstream.folder, 'commit', '--quiet', '--all', '-m', 'fourth');
    const tree = await fetchInto(directory, { source: upstream.folder });
    expect(tree.commit).toBe(git(upstream.folder, 'rev-parse', 'HEAD').trim());
    expect(text(directory, 'megatron/training.py')).toBe('fourth\n');
  });

  it.each<[string, (tree: string) => void, string?]>([
    [
      'a change',
      (tree: string) => {
        appendFileSync(join(tree, 'megatron/training.py'), 'patched\n');
      },
    ],
    [
      'a new file',
      (tree: string) => {
        write(tree, { 'apex/__init__.py': 'overlay\n' });
      },
    ],
    [
      'a commit',
      (tree: string) => {
        git(tree, 'commit', '--quiet', '--allow-empty', '-m', 'mine');
      },
    ],
    [
      'a damaged repository',
      (tree: string) => {
        rmSync(join(tree, '.git/objects'), { recursive: true });
      },
      'the source',
    ],
  ])(
    'on a tree with %s: clean again, from its own objects where they are whole, and the old one is kept',
    async (_title, change, from = 'itself') => {
      const upstream = makeUpstream();
      const bare = makeBare(upstream);
      const folder = makeFolder();
      const directory = join(folder, 'm');
      await fetchInto(directory, { source: bare, commit: upstream.head });
      change(directory);
      if (from === 'itself') {
        // The source has nothing to give any more.
        rmSync(join(bare, 'objects'), { recursive: true });
        mkdirSync(join(bare, 'objects'));
      }
      const tree = await fetchInto(directory, { source: bare, commit: upstream.head });
      expect(tree.notes).toEqual([
        `megatron: the tree that was there had changes; it is kept as ${folder}/.m.replaced`,
      ]);
      expect(git(directory, 'status', '--porcelain')).toBe('');
      expect(git(directory, 'rev-parse', 'HEAD').trim()).toBe(upstream.head);
      expect(git(directory, 'config', 'remote.origin.url').trim()).toBe(bare);
      expect(readdirSync(folder)).toEqual(['.m.replaced', 'm']);
      expect((await fetchInto(directory, { source: bare, commit: upstream.head })).notes).toEqual([]);
    },
  );

  it('keeps every changed tree: no later fetch removes one', async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    const directory = join(folder, 'm');
    const fetch = () => fetchInto(directory, { source: upstream.folder, commit: upstream.head });
    await fetch();
    for (const work of ['first', 'second']) {
      write(directory, { 'work.py': work });
      await fetch();
    }
    // Unchanged, and at another commit: only this one has nothing to lose.
    git(upstream.folder, 'commit', '--quiet', '--allow-empty', '-m', 'next');
    const next = git(upstream.folder, 'rev-parse', 'HEAD').trim();
    expect((await fetchInto(directory, { source: upstream.folder, commit: next })).commit).toBe(next);
    expect(readdirSync(folder)).toEqual(['.m.replaced', '.m.replaced-2', 'm']);
    expect(readFileSync(join(folder, '.m.replaced/work.py'), 'utf8')).toBe('first');
    expect(readFileSync(join(folder, '.m.replaced-2/work.py'), 'utf8')).toBe('second');
  });

  it('finds no change in what importing and installing write', async () => {
    const upstream = makeUpstream();
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: upstream.folder, commit: upstream.head });
    write(directory, {
      'megatron/__pycache__/training.cpython-311.pyc': 'x',
      'megatron.egg-info/PKG-INFO': 'x',
    });
    const tree = await fetchInto(directory, { source: upstream.folder, commit: upstream.head });
    expect(tree.notes).toEqual([]);
    expect(existsSync(join(directory, 'megatron.egg-info/PKG-INFO'))).toBe(true);
  });
});

it('tells its progress while it writes the files, so that a slow disk is not taken for a dead remote', async () => {
  const upstream = makeUpstream();
  const folder = makeFolder();
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  write(folder, { 'bin/git': `#!/bin/sh\nGIT_PROGRESS_DELAY=0 exec ${real} "$@"\n` });
  chmodSync(join(folder, 'bin/git'), 0o755);
  const env = { ...gitEnv, PATH: `${join(folder, 'bin')}:${gitEnv.PATH}` };
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  await fetchInto(join(folder, 'm'), { source: upstream.folder, commit: upstream.head }, { env, onLine });
  expect(lines.join('\n')).toMatch(/Updating files: 100%/);
});

describe('a folder that is something else', () => {
  it.each([
    [
      'files',
      (folder: string) => {
        write(folder, { 'thesis.txt': 'years of work' });
      },
    ],
    [
      "a repository of the user's",
      (folder: string) => {
        git(folder, 'init', '--quiet');
      },
    ],
    [
      'the tree of another upstream',
      (folder: string) => {
        write(folder, {
          '.git/superoffload.json': JSON.stringify({ schemaVersion: 1, name: 'apex', commit: 'x' }),
        });
      },
    ],
  ])('%s: is left as it is', async (_title, fill) => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    const directory = join(folder, 'm');
    mkdirSync(directory);
    fill(directory);
    const before = everythingOf(directory);
    const error = await refusal(fetchInto(directory, { source: upstream.folder, commit: upstream.head }));
    expect(error.message).toContain('there is something else already');
    expect(everythingOf(directory)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['m']);
  });

  it('an empty one is used', async () => {
    const upstream = makeUpstream();
    const directory = join(makeFolder(), 'm');
    mkdirSync(directory);
    await fetchInto(directory, { source: upstream.folder, commit: upstream.head });
    expect(text(directory, 'megatron/new.py')).toBe('new\n');
  });
});
