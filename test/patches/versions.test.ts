import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { applyToTree, revertTree } from '../../src/adapters/patches/engine.ts';
import { readSeries } from '../../src/adapters/patches/series-folder.ts';
import { verifyTree } from '../../src/adapters/patches/verify.ts';
import { moveHunks } from '../../src/core/patches/places.ts';
import { selectPatches } from '../../src/core/patches/series.ts';
import type { SeriesPatch } from '../../src/core/patches/series.ts';
import { realStack } from '../real-stack.ts';
import { patches, upstreamSource } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'versions-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const found = await readSeries(join(patches, 'deepspeed'));
if (found === undefined) throw new Error('no series for deepspeed');
const read = found;
const versions = read.series.versions ?? [];
const factsOf = (version: string) => ({
  ...{ commit: null, version, torch: '2.15.0', deepspeed: version, apex: null },
});

function selectionOf(version: string) {
  const selected = selectPatches(read.series, factsOf(version), 'series.json');
  if (!selected.ok) throw new Error(JSON.stringify(selected.faults));
  return selected.selection;
}

/** Applies the series to a folder of packages as the tool does, verifies it, and puts everything back. */
async function applyAndRevert(tree: string, version: string): Promise<void> {
  const request = { series: read, selection: selectionOf(version), facts: factsOf(version) };
  const options = {
    signal: new AbortController().signal,
    path: process.env['PATH'],
    onStep: () => undefined,
  };
  const before = request.selection.targets.map(({ path, upstream }) => [path, upstream]);
  const state = await applyToTree(tree, request, options);
  expect(state.files.length).toBeGreaterThan(1);
  const upstream = new Map(request.selection.targets.map((file) => [file.path, file.upstream]));
  expect(await verifyTree(tree, state, upstream)).toEqual([]);
  await revertTree(tree, { ...options, isDryRun: false });
  const blobs = before.map(([path]) => [path, blobOf(join(tree, path ?? ''))]);
  expect(blobs).toEqual(before);
}

function blobOf(file: string): string | null {
  return existsSync(file) ? execFileSync('git', ['hash-object', file], { encoding: 'utf8' }).trim() : null;
}

/** What a hunk without context changes, by its header alone. */
interface Hunk {
  readonly line: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

function hunksOf(patch: string, path: string): Hunk[] {
  const section = patch.split(/^(?=diff --git )/m).find((text) => text.includes(`+++ b/${path}\n`)) ?? '';
  return section
    .split(/^(?=@@ -)/m)
    .slice(1)
    .map((text) => {
      const of = (sign: string) => text.split('\n').filter((line) => line.startsWith(sign));
      const line = Number(/^@@ -(\d+)/.exec(text)?.[1]);
      return { line, removed: of('-').map((one) => one.slice(1)), added: of('+').map((one) => one.slice(1)) };
    });
}

/** A file that has nothing but what the patch removes, where the patch removes it. */
function fileFor(hunks: readonly Hunk[]): string[] {
  const lines = Array.from({ length: Math.max(...hunks.map(({ line }) => line)) + 9 }, (_, i) => `line ${i}`);
  for (const { line, removed } of hunks) lines.splice(line - 1, removed.length, ...removed);
  return lines;
}

/** The lines that the patch adds stand behind the lines that series.json names. */
function expectAdded(patch: SeriesPatch): void {
  const text = read.patches.get(patch.file)?.toString('utf8') ?? '';
  const moved = moveHunks(text, patch.files);
  const tree = mkdtempSync(join(folder, 'tree-'));
  const expected = patch.files.map(({ path, lines }) => {
    const hunks = hunksOf(moved, path);
    if (lines !== undefined) expect(hunks.map(({ line }) => line)).toEqual(lines);
    const file = fileFor(hunks);
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), `${file.join('\n')}\n`);
    for (const { line, removed, added } of [...hunks].reverse())
      file.splice(removed.length === 0 ? line : line - 1, removed.length, ...added);
    return { path, file };
  });
  writeFileSync(join(folder, 'moved.patch'), moved);
  execFileSync('git', ['apply', '--unidiff-zero', join(folder, 'moved.patch')], { cwd: tree, stdio: 'pipe' });
  for (const { path, file } of expected)
    expect(readFileSync(join(tree, path), 'utf8'), patch.file).toBe(`${file.join('\n')}\n`);
}

describe('the series for DeepSpeed', () => {
  test('lists every release from 0.18.0 to 0.19.8, and no other', () => {
    const releases = (minor: string, last: number) =>
      Array.from({ length: last + 1 }, (_, patch) => `${minor}.${patch}`);
    expect(versions).toEqual([...releases('0.18', 9), ...releases('0.19', 8)]);
  });

  test.each(versions)('has for %s files of its own, at the lines that it names', (version) => {
    const { patches: chosen, targets, skipped } = selectionOf(version);
    const hooked = targets.filter(({ patches: of }) => of.length > 0).map(({ path }) => path);
    expect(hooked).toEqual(
      expect.arrayContaining(['deepspeed/runtime/engine.py', 'deepspeed/runtime/config.py']),
    );
    for (const { reason } of skipped) expect(reason).toContain(`DeepSpeed is ${version}`);
    // Two versions of which nobody knows a difference have the same lines: git tries each once.
    for (const patch of chosen) {
      const key = JSON.stringify([patch.file, patch.files]);
      if (!tried.has(key)) expectAdded(patch);
      tried.add(key);
    }
  });
});
const tried = new Set<string>();

const sources = versions.map((version) => ({ version, source: upstreamSource(`deepspeed-${version}`) }));
const lacking = sources.flatMap(({ source }) => ('missing' in source ? [source.missing] : []))[0];
const whyNot = lacking === undefined ? '' : ` (skipped: ${lacking})`;

test.skipIf(lacking !== undefined)(
  `the series applies to every unpacked source distribution, and goes again${whyNot}`,
  { timeout: 600_000 },
  async () => {
    for (const { version, source } of sources) {
      if (!('path' in source)) continue;
      const tree = join(folder, version);
      for (const { path, upstream } of selectionOf(version).targets) {
        if (upstream !== null) cpSync(join(source.path, path), join(tree, path));
      }
      await applyAndRevert(tree, version);
    }
  },
);

test(
  'the series applies to an older release as the package index has it',
  { timeout: 600_000 },
  async (context) => {
    const tree = join(folder, 'index');
    const install = ['pip', 'install', '--quiet', '--target', tree, '--no-deps', '--no-build-isolation'];
    try {
      const env = { ...realStack.env, DS_ACCELERATOR: 'cpu' };
      execFileSync('uv', [...install, '--python', realStack.python, 'deepspeed==0.18.3'], {
        env,
        stdio: 'pipe',
      });
    } catch (error) {
      const { stderr, message } = error as { stderr?: Buffer; message: string };
      context.skip(`the package index is not reached: ${(stderr?.toString() ?? message).slice(0, 400)}`);
    }
    await applyAndRevert(tree, '0.18.3');
  },
);
