import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchInto, refusal, text } from './fetching.ts';
import { git, gitEnv, makeBare, makeFolder, makeUpstream, write } from './repositories.ts';

describe('a bare mirror', () => {
  it('gives the pinned commit, without history, with a repository of its own, and nothing beside it', async () => {
    const upstream = makeUpstream();
    const bare = makeBare(upstream);
    const folder = makeFolder();
    const directory = join(folder, 'src', 'megatron');
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const tree = await fetchInto(directory, { source: bare, commit: upstream.second }, { onLine });
    const expected = {
      url: bare,
      ref: 'superoffload',
      commit: upstream.second,
      dirtyDiffSha256: null,
      notes: [],
    };
    expect(tree).toEqual(expected);
    expect(text(directory, 'megatron/training.py')).toBe('second\n');
    expect(existsSync(join(directory, 'megatron/new.py'))).toBe(false);
    expect(git(directory, 'rev-parse', 'HEAD').trim()).toBe(upstream.second);
    expect(git(directory, 'rev-list', '--count', 'HEAD').trim()).toBe('1');
    expect(git(directory, 'status', '--porcelain')).toBe('');
    expect(lstatSync(join(directory, 'run.sh')).mode & 0o111).toBe(0o111);
    expect(readdirSync(join(folder, 'src'))).toEqual(['megatron']);
    expect(lines.join('\n')).toContain('Counting objects: 100%');
  });

  it.each([
    ['a branch', 'superoffload', 'head'],
    ['another branch', 'main', 'first'],
    ['an annotated tag', 'v1.0', 'first'],
    ['a full name', 'refs/heads/superoffload', 'head'],
    ['HEAD', 'HEAD', 'head'],
  ] as const)('%s is what it names today', async (_title, ref, commit) => {
    const upstream = makeUpstream();
    const tree = await fetchInto(join(makeFolder(), 'm'), { source: makeBare(upstream), ref });
    expect([tree.ref, tree.commit]).toEqual([ref, upstream[commit]]);
  });

  it('the beginning of a commit: of a head it is found, of another the whole one is asked for', async () => {
    const upstream = makeUpstream();
    const source = makeBare(upstream);
    const tree = await fetchInto(join(makeFolder(), 'm'), { source, ref: upstream.head.slice(0, 9) });
    expect(tree.commit).toBe(upstream.head);
    const error = await refusal(
      fetchInto(join(makeFolder(), 'm'), { source, ref: upstream.second.slice(0, 9) }),
    );
    expect(error.message).toContain('(expected a commit of 40 hexadecimal digits)');
  });

  it.each([
    ['superofload', 'did you mean "superoffload"?'],
    ['origin/superoffload', 'did you mean "superoffload"?'],
    ['v1', 'did you mean "v1.0"?'],
    ['something-quite-different', 'has no branch or tag "something-quite-different"'],
  ])('no such ref %s: %s', async (ref, message) => {
    const folder = makeFolder();
    const error = await refusal(fetchInto(join(folder, 'm'), { source: makeBare(makeUpstream()), ref }));
    expect(error.message).toContain(message);
    expect(error.hint).toContain('--ref megatron=REF');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('no such commit', async () => {
    const bare = makeBare(makeUpstream());
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: bare, commit: '1'.repeat(40) }));
    expect(error.message).toBe(`megatron: ${bare} has no commit ${'1'.repeat(40)}`);
  });

  it('that is empty has no branch', async () => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet', '--bare', 'empty.git');
    const error = await refusal(fetchInto(join(folder, 'm'), { source: join(folder, 'empty.git') }));
    expect(error.message).toContain('it has no branch at all');
  });

  it.each([
    [
      'a file of a pack with other bytes',
      (bare: string) => {
        packs(bare, '.pack').forEach((file) => {
          overwrite(file, 60);
        });
      },
    ],
    [
      'a pack that is cut',
      (bare: string) => {
        packs(bare, '.pack').forEach((file) => {
          chmodSync(file, 0o644);
          truncateSync(file, 50);
        });
      },
    ],
    [
      'no pack at all',
      (bare: string) => {
        packs(bare, '').forEach((file) => {
          rmSync(file);
        });
      },
    ],
  ])('%s: said as damaged, nothing is left, the next call works', async (_title, damage) => {
    const upstream = makeUpstream();
    const bare = makeBare(upstream);
    git(bare, 'repack', '-adq');
    damage(bare);
    const folder = makeFolder();
    const error = await refusal(fetchInto(join(folder, 'm'), { source: bare, commit: upstream.head }));
    expect(`${error.message}\n${error.hint ?? ''}`).toMatch(
      /is damaged: check it with `git fsck`|has no commit/,
    );
    expect(readdirSync(folder)).toEqual([]);
    const tree = await fetchInto(join(folder, 'm'), { source: upstream.folder, commit: upstream.head });
    expect(tree.commit).toBe(upstream.head);
  });
});

function packs(bare: string, ending: string): string[] {
  const folder = join(bare, 'objects/pack');
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

function overwrite(file: string, at: number): void {
  chmodSync(file, 0o644);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, at, at + 200);
  writeFileSync(file, bytes);
}

describe('the files', () => {
  it("are the commit's bytes, whatever the user's configuration and the attributes of the tree say", async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    const config = join(folder, 'gitconfig');
    const canary = join(folder, 'canary');
    mkdirSync(join(folder, 'template/hooks'), { recursive: true });
    writeFileSync(join(folder, 'template/hooks/post-checkout'), `#!/bin/sh\ntouch '${canary}'\n`);
    chmodSync(join(folder, 'template/hooks/post-checkout'), 0o755);
    const set = (key: string, value: string): string => git(folder, 'config', '--file', config, key, value);
    set('core.autocrlf', 'true');
    set('core.eol', 'crlf');
    set('init.templateDir', join(folder, 'template'));
    set('core.hooksPath', join(folder, 'template/hooks'));
    set('filter.canary.smudge', `touch '${canary}'; cat`);
    set('filter.canary.required', 'true');
    set('core.fsmonitor', `touch '${canary}'; false`);
    const env = { ...gitEnv, GIT_CONFIG_GLOBAL: config };
    const directory = join(folder, 'm');
    await fetchInto(directory, { source: makeBare(upstream), commit: upstream.head }, { env });
    expect(text(directory, 'megatron/training.py')).toBe('third\n');
    expect(text(directory, 'windows.txt')).toBe('one\ntwo\n');
    expect(text(directory, 'weights.big')).toBe('as it is committed\n');
    expect(existsSync(canary)).toBe(false);
    expect(existsSync(join(directory, '.git/hooks'))).toBe(false);
    // The same configuration finds nothing changed later: patches are made for these bytes.
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: directory, env, encoding: 'utf8' })).toBe(
      '',
    );
  });

  it('of submodules are not fetched, and that is said', async () => {
    const upstream = makeUpstream();
    git(upstream.folder, 'update-index', '--add', '--cacheinfo', `160000,${upstream.first},csrc/cutlass`);
    write(upstream.folder, {
      '.gitmodules': `[submodule "c"]\n\tpath = csrc/cutlass\n\turl = ${upstream.folder}\n`,
    });
    git(upstream.folder, 'add', '.gitmodules');
    git(upstream.folder, 'commit', '--quiet', '-m', 'a submodule');
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: makeBare(upstream) });
    expect(tree.notes).toEqual(['megatron: submodules are not fetched: csrc/cutlass']);
    expect(readdirSync(join(directory, 'csrc/cutlass'))).toEqual([]);
  });
});
