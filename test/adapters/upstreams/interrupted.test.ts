import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SuperOffloadError } from '../../../src/errors.ts';
import { fetchInto, refusal, text } from './fetching.ts';
import { git, makeFolder, makeUpstream, write } from './repositories.ts';
import { httpRemote, processesNaming } from './servers.ts';

describe('a server over HTTP', () => {
  it('that closes in the middle of a pack: tried again, and whole at last', async () => {
    let packs = 0;
    const { url, head } = await httpRemote({
      large: true,
      onPack: (sentBytes, response) => {
        if (sentBytes < 40_000 || sentBytes >= 44_096 || ++packs > 2) return true;
        response.destroy();
        return false;
      },
    });
    const folder = makeFolder();
    await fetchInto(join(folder, 'm'), { source: url, commit: head });
    expect(packs).toBeGreaterThanOrEqual(3);
    expect(git(join(folder, 'm'), 'status', '--porcelain')).toBe('');
    expect(readdirSync(folder)).toEqual(['m']);
  });

  it('that stalls in the middle of a pack is ended after the time without output, once', async () => {
    let stalled = 0;
    const { url, head } = await httpRemote({
      large: true,
      onPack: (sentBytes) => {
        if (sentBytes < 40_000) return true;
        stalled++;
        return false;
      },
    });
    const folder = makeFolder();
    const error = await refusal(
      fetchInto(join(folder, 'm'), { source: url, commit: head }, { idleMs: 1_000 }),
    );
    expect(error.message).toContain('said nothing for 1 s and was ended');
    expect(error.hint).toContain('Try by hand: git ls-remote');
    expect(stalled).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
    expect(processesNaming(url)).toEqual([]);
  });

  it('Ctrl-C in the middle of a pack: its reason, no process left, and the next call works', async () => {
    let isSlow = true;
    const stop = new AbortController();
    const { url, head } = await httpRemote({
      large: true,
      onPack: (sentBytes) => {
        if (!isSlow || sentBytes < 40_000) return true;
        setTimeout(() => {
          stop.abort(new SuperOffloadError({ code: 'interrupted', message: 'Ctrl-C' }));
        }, 100);
        return false;
      },
    });
    const directory = join(makeFolder(), 'm');
    const running = fetchInto(directory, { source: url, commit: head }, { signal: stop.signal });
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(processesNaming(url)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
    isSlow = false;
    await fetchInto(directory, { source: url, commit: head });
    expect(git(directory, 'status', '--porcelain')).toBe('');
    expect(readdirSync(dirname(directory))).toEqual(['m']);
  });
});

describe('what an interrupted fetch left', () => {
  it.each([
    [
      'nothing but rubbish',
      (aside: string) => {
        write(aside, { 'tree/x': 'half', 'changes.diff': 'half' });
      },
      false,
    ],
    [
      'half a repository',
      (aside: string) => {
        mkdirSync(join(aside, 'tree'));
        git(join(aside, 'tree'), 'init', '--quiet');
      },
      false,
    ],
  ])('%s is replaced', async (_title, leave) => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    mkdirSync(join(folder, '.m.fetching'));
    leave(join(folder, '.m.fetching'));
    await fetchInto(join(folder, 'm'), { source: upstream.folder, commit: upstream.head });
    expect(git(join(folder, 'm'), 'status', '--porcelain')).toBe('');
    expect(existsSync(join(folder, 'm/x'))).toBe(false);
    expect(readdirSync(folder)).toEqual(['m']);
  });

  it('the whole commit without its files is used: nothing is fetched again', async () => {
    const upstream = makeUpstream();
    const folder = makeFolder();
    const tree = join(folder, '.m.fetching/tree');
    mkdirSync(tree, { recursive: true });
    git(tree, 'init', '--quiet');
    git(tree, 'fetch', '--quiet', upstream.folder, `${upstream.head}:refs/superoffload/source`);
    write(tree, { '.git/index.lock': '', '.git/index': 'half', 'run.sh': 'half' });
    const asked = { source: 'http://127.0.0.1:1/x', commit: upstream.head };
    await fetchInto(join(folder, 'm'), asked);
    expect(text(folder, 'm/run.sh')).toBe('#!/bin/sh\n');
    expect(readdirSync(folder)).toEqual(['m']);
  });
});
