import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyToTree, rehearse, revertTree } from '../../../src/adapters/patches/engine.ts';
import { readSeries } from '../../../src/adapters/patches/series-folder.ts';
import { loadStack } from '../../../src/adapters/stack/store.ts';
import { verifyTree } from '../../../src/adapters/patches/verify.ts';
import type { PatchFacts } from '../../../src/core/patches/series.ts';
import type { PatchState } from '../../../src/core/patches/state.ts';
import { realStack, sharedHome } from '../../real-stack.ts';
import { git, newFolder, snapshot } from './git-tree.ts';
import { options, requestOf } from './sample.ts';

const published = join(import.meta.dirname, '../../../patches');
const upstreams = readdirSync(published, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const sources = process.env['SUPEROFFLOAD_TEST_SOURCES'];

describe.each(upstreams)('patches/%s', (upstream) => {
  const folder = join(published, upstream);

  it('is sound, has the hashes it states, and no file that it does not name', async () => {
    const read = await readSeries(folder);
    expect(read?.series.upstream).toBe(upstream);
    const named = [
      ...(read?.patches.keys() ?? []),
      ...[...(read?.overlay.keys() ?? [])].map((path) => `overlay/${path}`),
    ];
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(folder, path)).isFile() && !path.includes('__pycache__'))
      .filter((path) => path !== 'series.json' && !path.endsWith('.md'));
    expect(files.sort()).toEqual(named.sort());
  });
});

/** Tries, applies, proves, reverts and compares: what a user's day with a series is. */
async function goesRound(tree: string, folder: string, facts: PatchFacts): Promise<PatchState> {
  const before = snapshot(tree);
  const request = await requestOf(folder, facts);
  expect((await rehearse(tree, request, options())).plan.status).toBe('ready');
  const state = await applyToTree(tree, request, options());
  expect(await verifyTree(tree, state, new Map())).toEqual([]);
  expect((await rehearse(tree, request, options())).plan.status).toBe('applied');
  const after = snapshot(tree);
  const changed = Object.keys(after).filter((path) => !path.endsWith('/') && after[path] !== before[path]);
  expect(changed.sort()).toEqual([...state.files, ...state.overlay].map(({ path }) => path).sort());
  await revertTree(tree, { ...options(), isDryRun: false });
  expect(snapshot(tree)).toEqual(before);
  expect(readdirSync(join(tree, '..'))).toEqual([basename(tree)]);
  return state;
}

describe('on the real upstreams', () => {
  it.skipIf(sources === undefined).each(['overlay', 'build'] as const)(
    'Megatron-DeepSpeed at each pinned commit, Apex: %s (skipped without SUPEROFFLOAD_TEST_SOURCES)',
    async (apex) => {
      const folder = join(published, 'megatron');
      const series = await readSeries(folder);
      for (const commit of series?.series.commits ?? []) {
        const home = newFolder();
        const tree = join(home, 'megatron');
        git(home, 'clone', '-q', '--shared', '--no-checkout', join(sources ?? '', 'megatron'), tree);
        git(tree, 'checkout', '-q', '--detach', commit);
        const facts = { commit, version: null, torch: '2.15.0', deepspeed: '0.19.8', apex };
        const state = await goesRound(tree, folder, facts);
        expect(state.overlay.some(({ path }) => path === 'apex/__init__.py')).toBe(apex === 'overlay');
        expect(git(tree, 'status', '--porcelain', '--ignored')).toBe('');
      }
    },
  );

  it('DeepSpeed of the installed stack', async (context) => {
    const folder = join(published, 'deepspeed');
    const series = await readSeries(folder);
    const lock = await loadStack(sharedHome, 'pip');
    const version = lock?.deepspeed.version ?? '';
    const listed = series?.series.versions?.includes(version) ?? false;
    if (!listed) context.skip(`the series is not for DeepSpeed ${version}`);
    const program = 'import sysconfig; print(sysconfig.get_path("purelib"))';
    const site = execFileSync(realStack.python, ['-c', program], { encoding: 'utf8' }).trim();
    const tree = join(newFolder(), 'site-packages');
    for (const path of new Set(
      series?.series.patches.flatMap(({ files }) => files.map((file) => file.path)),
    )) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      copyFileSync(upstreamFile(site, path), join(tree, path));
    }
    await goesRound(tree, folder, { commit: null, version, torch: '2.15.0', deepspeed: version, apex: null });
  });
});

/** A file as the package brought it, also where the stack has been patched since. */
function upstreamFile(site: string, path: string): string {
  const beside = join(dirname(site), '.site-packages.patches');
  const record = join(beside, 'record.json');
  if (!existsSync(record)) return join(site, path);
  const { backup } = JSON.parse(readFileSync(record, 'utf8')) as { backup: string };
  const kept = join(beside, backup, 'upstream', path);
  return existsSync(kept) ? kept : join(site, path);
}
