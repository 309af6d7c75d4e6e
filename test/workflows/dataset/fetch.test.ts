import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planFetch } from '../../../src/workflows/dataset/fetch-plan.ts';
import { verifyDataset } from '../../../src/workflows/dataset/verify.ts';
import * as source from './lfs-source.ts';

const { bin, fetchIt, lfsMissing, pointerTo, refusal, sha256, states } = source;

let published: source.Published;
beforeEach(() => {
  published = source.publish(true);
});
afterEach(() => {
  rmSync(published.folder, { recursive: true, force: true });
});

const fetched = (): string[] => readdirSync(published.directory).sort();

describe.skipIf(lfsMissing !== null)(`dataset fetch by Git LFS (${lfsMissing ?? 'the real client'})`, () => {
  it('brings the data files, whole, and nothing else; a second call has nothing to do', async () => {
    expect(states(await fetchIt(published))).toEqual(['fetched', 'fetched']);
    expect(fetched()).toEqual(['t.bin', 't.idx']);
    expect(sha256(readFileSync(join(published.directory, 't.bin')))).toBe(source.binHash);
    expect(statSync(join(published.directory, 't.bin')).mode & 0o777).toBe(0o644);
    // No network, no repository: all is there.
    rmSync(published.repository, { recursive: true });
    mkdirSync(published.repository);
    expect(states(await fetchIt(published))).toEqual(['complete', 'complete']);
    const { checks } = await verifyDataset(published.context(), undefined);
    expect(checks.map(({ by, problem }) => [by, problem])).toEqual([
      ['manifest', null],
      ['manifest', null],
      ['index', null],
    ]);
  });

  it('fetches again what is cut, changed or a pointer, only that, and never shares bytes with the source', async () => {
    await fetchIt(published);
    const path = join(published.directory, 't.bin');
    for (const damage of [
      bin.subarray(0, 100_000),
      Buffer.alloc(bin.length, 1),
      Buffer.from(pointerTo(bin)),
    ]) {
      // In place: a hard link to the source's own object would damage that.
      writeFileSync(path, damage);
      const report = await verifyDataset(published.context(), undefined);
      expect(report.checks[0]?.problem).toMatch(/is cut|has other content|is a Git LFS pointer/);
      expect(states(await fetchIt(published))).toEqual(['fetched', 'complete']);
      expect(sha256(readFileSync(path))).toBe(source.binHash);
    }
  });

  it('takes a copy whose head has moved, and one that lacks the commit, by content', async () => {
    published.commit({ README: 'moved' });
    expect(states(await fetchIt(published))).toEqual(['fetched', 'fetched']);
    rmSync(published.directory, { recursive: true });
    published.pinUnknownCommit();
    expect(states(await fetchIt(published))).toEqual(['fetched', 'fetched']);
    const notes = published.events.filter(({ type }) => type === 'note');
    expect(notes).toMatchObject([{ message: expect.stringContaining('its files are the same') as string }]);
  });

  it('refuses other data than it knows before a byte of it comes, all files at once', async () => {
    const files = { 't.bin': pointerTo(Buffer.from('other')), 't.idx': null };
    published.commit({
      'training_datasets/t.bin': files['t.bin'],
      'training_datasets/t.idx': files['t.idx'],
    });
    published.pinUnknownCommit();
    const { code, message } = await refusal(fetchIt(published));
    expect(code).toBe('environment');
    const { repository } = published;
    expect(message).toContain(`${repository} training_datasets/t.bin: has 5 bytes (expected 3000000 bytes`);
    expect(message).toContain(`${repository} training_datasets/t.idx: is missing`);
    expect(fetched()).toEqual(['.fetch']);
  });

  it('says that a folder is missing or is no repository', async () => {
    const missing = await refusal(fetchIt(published, {}, './nowhere'));
    expect(missing.code).toBe('environment');
    expect(missing.message).toMatch(/nowhere does not exist/);
    mkdirSync(join(published.folder, 'plain'));
    const plain = await refusal(fetchIt(published, {}, './plain'));
    expect(plain.code).toBe('environment');
    expect(plain.hint).toContain(`git ls-remote ${join(published.folder, 'plain')}`);
  });
});

describe('dataset fetch', () => {
  it('plans without doing: a dry run makes no folder', async () => {
    const plan = await planFetch(published.context(), { source: published.repository, out: undefined });
    expect(states(plan.report)).toEqual(['to fetch', 'to fetch']);
    expect(existsSync(published.directory)).toBe(false);
  });

  it.each(['--upload-pack=touch hacked', 'ext::sh -c touch% hacked', '-x', 'http://-oProxyCommand=x/y'])(
    'never gives %j to git',
    async (hostile) => {
      const { code, message } = await refusal(
        planFetch(published.context(), { source: hostile, out: undefined }),
      );
      expect(code).toBe('usage');
      expect(message).toMatch(/^--source: /);
    },
  );

  it('without Git LFS says how to install it, before the network is asked', async () => {
    const path = join(published.folder, 'only-git');
    mkdirSync(path);
    const folders = (process.env['PATH'] ?? '').split(':');
    const git = folders.map((folder) => join(folder, 'git')).find(existsSync) ?? '';
    const script = `#!/bin/sh\nexport PATH="${path}"\nexec ${git} "$@"\n`;
    writeFileSync(join(path, 'git'), script, { mode: 0o755 });
    const env = { ...published.context().env, PATH: path, GIT_EXEC_PATH: path };
    const { code, message, hint } = await refusal(fetchIt(published, { env }, 'http://127.0.0.1:1/none.git'));
    expect(code).toBe('environment');
    expect(message).toBe('Git LFS is not installed, and the data files are in it');
    expect(hint).toContain('apt-get install git-lfs');
    expect(hint).toContain('brew install git-lfs');
  });
});
