import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchSource } from '../../../src/adapters/upstreams/checkout.ts';
import { isRefusal, parseRef, parseSource } from '../../../src/core/upstreams/source.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { fetchContext, fetchInto, refusal } from './fetching.ts';
import { git, makeBare, makeFolder, makeUpstream } from './repositories.ts';

/** A path without a space: a shell that ran one of the commands below would find the canary's name whole. */
const oneWord = 'superoffload-canary-';

/** Each of these makes the file CANARY where git, ssh or a shell takes it for an option or a command. */
const sources = [
  '--upload-pack=touch CANARY',
  '-u touch CANARY',
  '--exec=touch CANARY',
  'ext::sh -c touch% CANARY',
  'ext::touch CANARY',
  'EXT::touch CANARY',
  'fd::7',
  'ssh://-oProxyCommand=touch${IFS}CANARY/x',
  '-oProxyCommand=touch CANARY:x',
  'git@-oProxyCommand=touch CANARY:x',
  'ssh://git@-oProxyCommand=touch%20CANARY/x',
  'https://host.invalid/x --upload-pack=touch CANARY',
  'host.invalid:--upload-pack=touch CANARY',
  '$(touch CANARY)',
  '`touch CANARY`',
  '; touch CANARY',
  '| touch CANARY',
  "'; touch CANARY; '",
  './x; touch CANARY',
  'file:///nowhere;touch${IFS}CANARY',
  'https://host.invalid/x\ntouch CANARY',
  'https://host.invalid/%0atouch',
  'x\0y',
];
const refs = [
  '--upload-pack=touch CANARY',
  '--exec=touch CANARY',
  '-c core.sshCommand=touch CANARY',
  'main --upload-pack=touch CANARY',
  '$(touch${IFS}CANARY)',
  '`touch${IFS}CANARY`',
  ';touch${IFS}CANARY',
  '+main',
  'main:refs/heads/evil',
  '^main',
  'refs/heads/*',
  '../../../../etc/passwd',
  'main@{1}',
];

describe('hostile values, as a user or a file may give them', () => {
  it.each(sources)('--source megatron=%j runs nothing', async (source) => {
    const folder = makeFolder(oneWord);
    const canary = join(folder, 'canary');
    const parsed = parseSource(source.replaceAll('CANARY', canary));
    if (!isRefusal(parsed)) {
      const request = { name: 'megatron', commit: null, directory: join(folder, 'm'), source: parsed };
      const context = fetchContext({ cwd: folder });
      await refusal(fetchSource({ ...request, ref: { kind: 'name', name: 'main' } }, context));
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(refs)('--ref megatron=%j runs nothing', async (ref) => {
    const folder = makeFolder(oneWord);
    const canary = join(folder, 'canary');
    const parsed = parseRef(ref.replaceAll('CANARY', canary));
    const bare = makeBare(makeUpstream());
    if (!isRefusal(parsed)) await refusal(fetchInto(join(folder, 'm'), { source: bare, ref: parsed.name }));
    expect(readdirSync(folder)).toEqual([]);
    expect(git(bare, 'for-each-ref')).not.toContain('evil');
  });
});

describe('the same values where nobody has looked at them', () => {
  it.each(sources.filter((source) => !source.includes('\0')))('source %j runs nothing', async (source) => {
    const folder = makeFolder(oneWord);
    const canary = join(folder, 'canary');
    const address = source.replaceAll('CANARY', canary);
    const request = { name: 'megatron', commit: null, directory: join(folder, 'm') };
    const work = fetchSource(
      { ...request, source: { kind: 'url', address, shown: address }, ref: { kind: 'name', name: 'main' } },
      fetchContext({ cwd: folder, pausesMs: [], idleMs: 5_000 }),
    );
    await refusal(work);
    expect(existsSync(canary)).toBe(false);
  });

  it.each(refs)('ref %j runs nothing', async (ref) => {
    const folder = makeFolder(oneWord);
    const canary = join(folder, 'canary');
    const bare = makeBare(makeUpstream());
    const name = ref.replaceAll('CANARY', canary);
    const request = {
      name: 'megatron',
      directory: join(folder, 'm'),
      commit: null,
      source: parsedPath(bare),
    };
    await fetchSource({ ...request, ref: { kind: 'name', name } }, fetchContext()).catch((error: unknown) => {
      if (!(error instanceof SuperOffloadError)) throw error;
    });
    expect(existsSync(canary)).toBe(false);
    expect(git(bare, 'for-each-ref')).not.toContain('evil');
  });
});

function parsedPath(path: string) {
  return { kind: 'path', address: path, shown: path } as const;
}

describe('a full disk', () => {
  it('is said plainly, what was fetched is taken away, and the next call works', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'superoffload-tmpfs-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'superoffload-test', folder]);
    onTestFinished(() => {
      if (mounted.status === 0) execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    });
    if (mounted.status !== 0) context.skip('mounting a tmpfs needs root');
    const upstream = makeUpstream();
    writeFileSync(join(folder, 'filler'), Buffer.alloc(480 * 1024));
    const asked = { source: upstream.folder, commit: upstream.head };
    const error = await refusal(fetchInto(join(folder, 'm'), asked));
    expect(`${error.message} ${error.hint ?? ''}`).toMatch(/No space left on device|the disk is full/);
    expect(error.hint?.toLowerCase()).toContain('free space, or set superoffload_home');
    expect(readdirSync(folder)).toEqual(['filler']);
    rmSync(join(folder, 'filler'));
    expect((await fetchInto(join(folder, 'm'), asked)).commit).toBe(upstream.head);
  });
});
