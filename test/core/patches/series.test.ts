import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import { pathProblem, seriesFaults } from '../../../src/core/patches/series-faults.ts';
import { isSeriesFor, listsUpstream, selectPatches } from '../../../src/core/patches/series.ts';
import type { PatchFacts } from '../../../src/core/patches/series.ts';

const blob = (digit: number): string => String(digit).repeat(40);
const facts: PatchFacts = {
  ...{ commit: blob(9), version: null, torch: '2.11.0+cu130', deepspeed: '0.19.8', apex: 'overlay' as const },
};

type Patch = SeriesFile['patches'][number];
const patch = (number: number, changes: Partial<Patch>): Patch => ({
  ...{ file: `000${number}-p.patch`, title: 't', reason: 'r', thread: null, sha256: '0'.repeat(64) },
  ...{ files: [], ...changes },
});
const change = (path: string, before: number | null, after: number): Patch['files'][number] => ({
  ...{ path, before: before === null ? null : blob(before), after: blob(after) },
});
const series = (patches: Patch[], changes: Partial<SeriesFile> = {}): SeriesFile => ({
  ...{ schemaVersion: 1, upstream: 'megatron', title: 't', commits: [blob(9)], patches, overlay: [] },
  ...changes,
});
const select = (of: SeriesFile, given: Partial<PatchFacts> = {}) =>
  selectPatches(of, { ...facts, ...given }, 'series.json');

describe('seriesFaults', () => {
  it('accepts a chain over several patches, and a conditional one that a later patch can do without', () => {
    const sound = series([
      patch(1, { files: [change('a', 1, 2), change('new', null, 1)] }),
      patch(2, { files: [change('a', 2, 3), change('new', 1, 2)], when: { torch: '>=2.6' } }),
      patch(3, { files: [change('a', 3, 4)], when: { torch: '>=2.6' } }),
      patch(4, { files: [change('b', 1, 2)], when: {} }),
    ]);
    expect(seriesFaults(sound, 'series.json')).toEqual([]);
  });

  it('names every fault with its JSON path', () => {
    const unsound = series(
      [
        patch(2, { files: [change('a', 1, 2)] }),
        patch(1, { files: [change('a', 1, 3), change('b', 1, 2), change('b', 2, 3)] }),
      ],
      {
        versions: ['1.0'],
        overlay: ['a', 'o', 'o', '../o'].map((path) => ({ path, reason: 'r', sha256: '0'.repeat(64) })),
      },
    );
    expect(seriesFaults(unsound, 's').map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      's /commits: and versions: exactly one of the two must be there',
      's /overlay/3/path: "../o" leads out of the tree',
      's /overlay/0/path: a is patched as well',
      's /overlay/2/path: o is there twice',
      's /patches/1/file: 0001-p.patch comes after 0002-p.patch: the numbers must rise',
      's /patches/1/files/2/path: is there twice',
      `s /patches/1/files/0/before: is ${blob(1)}, which no earlier patch leaves`,
    ]);
  });

  it('refuses every path that leaves the tree or is one of git, whatever surrounds it', () => {
    const bad = ['..', '.git', '.GIT', '.gitmodules', '', '.', 'a\\b', 'a\nb', 'a\0b'];
    const part = fc.stringMatching(/^[a-z.]{3,5}$/).filter((name) => !/^\.+$|^\.git/.test(name));
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom(...bad), fc.array(part), (above, one, below) => {
        expect(pathProblem([...above, one, ...below].join('/'))).not.toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (parts) => {
        expect(pathProblem(parts.join('/'))).toBeNull();
        expect(pathProblem(`/${parts.join('/')}`)).toBe('is absolute');
      }),
    );
    for (const path of ['.github/workflows/ci.yml', '.gitignore', 'a..b', '-rf'])
      expect(pathProblem(path)).toBeNull();
  });
});

describe('selectPatches', () => {
  it.each([
    [{ torch: '>=2.6' }, {}, null],
    [{ torch: '>=2.6' }, { torch: '2.5.1' }, 'torch is 2.5.1, not >=2.6'],
    [{ torch: '>=2.6,<2.11' }, {}, 'torch is 2.11.0+cu130, not >=2.6,<2.11'],
    [{ torch: '>=2.6,<2.11.1' }, {}, null],
    [{ torch: '>=2.9' }, { torch: '2.10.0' }, null],
    [{ deepspeed: '<0.19.8' }, {}, 'DeepSpeed is 0.19.8, not <0.19.8'],
    [{ deepspeed: '>=0.19.8' }, {}, null],
    [{ apex: 'overlay' as const }, {}, null],
    [{ apex: 'overlay' as const }, { apex: 'build' as const }, 'Apex is built from source'],
    [{ apex: 'build' as const }, {}, 'Apex comes from the overlay'],
    [{ apex: 'build' as const }, { apex: null }, 'Apex is not wanted'],
    [{ torch: '>=2', deepspeed: '>=1' }, {}, 'DeepSpeed is 0.19.8, not >=1'],
  ])('%j with %j: %s', (when, given, reason) => {
    const overlay = [{ path: 'o', reason: 'r', sha256: '0'.repeat(64), when }];
    const chosen = select(series([patch(1, { files: [change('a', 1, 2)], when })], { overlay }), given);
    if (!chosen.ok) throw new Error('refused');
    const skipped =
      reason === null
        ? []
        : [
            { file: '0001-p.patch', reason },
            { file: 'o', reason },
          ];
    expect(chosen.selection.skipped).toEqual(skipped);
    expect(chosen.selection.targets.map(({ path }) => path)).toEqual(reason === null ? ['a', 'o'] : []);
  });

  it('gives each file the blob before the first and after the last of its patches', () => {
    const chosen = select(
      series([
        patch(1, { files: [change('a', 1, 2)] }),
        patch(2, { files: [change('a', 2, 3), change('n', null, 4)] }),
      ]),
    );
    expect(chosen.ok && chosen.selection.targets).toEqual([
      { path: 'a', upstream: blob(1), final: blob(3), patches: ['0001-p.patch', '0002-p.patch'] },
      { path: 'n', upstream: null, final: blob(4), patches: ['0002-p.patch'] },
    ]);
  });

  it('refuses conditions that leave a gap: nothing of it is applied', () => {
    const gap = series([
      patch(1, { files: [change('a', 1, 2)], when: { torch: '<2' } }),
      patch(2, { files: [change('a', 2, 3)] }),
      patch(3, { files: [change('a', 3, 4)] }),
    ]);
    expect(select(gap).ok).toBe(true);
    const other = series([
      patch(1, { files: [change('a', 1, 2)] }),
      patch(2, { files: [change('a', 2, 3)], when: { torch: '<2' } }),
      patch(3, { files: [change('a', 3, 4)] }),
    ]);
    expect(seriesFaults(other, 's')).toEqual([]);
    const refused = select(other);
    expect(!refused.ok && refused.faults[0]?.problem).toMatch(
      /0003-p\.patch cannot follow on 0001-p\.patch in a/,
    );
    expect(select(other, { torch: '1.9' }).ok).toBe(true);
  });
});

it('a series is for a repository or for a package, whatever its commit or version is', () => {
  const repository = series([]);
  const packaged: SeriesFile = { ...repository, versions: ['0.19.8'] };
  delete packaged.commits;
  const installed = { ...facts, commit: null, version: '0.19.8' };
  expect([isSeriesFor(repository, facts), isSeriesFor(repository, installed)]).toEqual([true, false]);
  expect([isSeriesFor(packaged, facts), isSeriesFor(packaged, installed)]).toEqual([false, true]);
  expect(listsUpstream(repository, facts)).toBe(true);
  expect(listsUpstream(repository, { ...facts, commit: blob(1) })).toBe(false);
  expect(listsUpstream(packaged, installed)).toBe(true);
  expect(listsUpstream(packaged, { ...installed, version: '0.19.9' })).toBe(false);
});
