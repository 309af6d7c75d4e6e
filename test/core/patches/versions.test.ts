import { describe, expect, it } from 'vitest';
import { seriesFaults } from '../../../src/core/patches/series-faults.ts';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import { knownVersions, selectPatches } from '../../../src/core/patches/series.ts';

type Patch = SeriesFile['patches'][number];
type Elsewhere = NonNullable<Patch['files'][number]['elsewhere']>[number];

const blob = (digit: number): string => String(digit).repeat(40);
const patch = (number: number, changes: Partial<Patch>): Patch => ({
  ...{ file: `000${number}-p.patch`, title: 't', reason: 'r', thread: null, sha256: '0'.repeat(64) },
  ...{ files: [], ...changes },
});
const change = (path: string, before: number, after: number): Patch['files'][number] => ({
  ...{ path, before: blob(before), after: blob(after) },
});
const place = (versions: string[], line: number, before: number, after: number): Elsewhere => ({
  ...{ versions, lines: [line], before: blob(before), after: blob(after) },
});
const packaged = (patches: Patch[], versions: string[]): SeriesFile => ({
  ...{ schemaVersion: 1, upstream: 'deepspeed', title: 't', versions, patches, overlay: [] },
});
const select = (of: SeriesFile, version: string) =>
  selectPatches(
    of,
    { commit: null, version, deepspeed: version, torch: '2.15.0', apex: null },
    'series.json',
  );

describe('versions of a package', () => {
  const two = packaged(
    [
      patch(1, {
        files: [{ ...change('a', 5, 6), elsewhere: [place(['0.18.0', '0.18.1'], 7, 1, 2)] }],
      }),
      patch(2, {
        files: [{ ...change('a', 6, 7), elsewhere: [place(['0.18.1'], 9, 2, 3)] }],
        when: { deepspeed: '>=0.18.1' },
      }),
    ],
    ['0.18.0', '0.18.1', '0.19.8'],
  );

  it('have files of their own, patched at other lines', () => {
    expect(seriesFaults(two, 's')).toEqual([]);
    const chosen = ['0.18.0', '0.18.1', '0.19.8', '0.20.0'].map((version) => {
      const selected = select(two, version);
      if (!selected.ok) throw new Error('refused');
      const { targets, patches } = selected.selection;
      const lines = patches.map(({ files }) => files[0]?.lines?.[0]);
      return [targets[0]?.upstream?.[0], targets[0]?.final?.[0], ...lines];
    });
    expect(chosen).toEqual([
      ['1', '2', 7],
      ['1', '3', 7, 9],
      ['5', '7', undefined, undefined],
      // Of one that nobody listed: as the newest, so that its blob ids refuse it.
      ['5', '7', undefined, undefined],
    ]);
  });

  it('that are listed wrongly are faults: twice, unknown, falling lines, a chain that breaks in one of them', () => {
    const broken = packaged(
      [
        patch(1, {
          files: [
            {
              ...change('a', 5, 6),
              elsewhere: [
                { ...place(['0.18.0'], 7, 1, 2), lines: [7, 7] },
                place(['0.18.0', '0.17.0'], 7, 1, 2),
              ],
            },
          ],
        }),
        patch(2, { files: [{ ...change('a', 6, 7), elsewhere: [place(['0.18.0'], 9, 3, 4)] }] }),
      ],
      ['0.18.0', '0.19.8'],
    );
    expect(seriesFaults(broken, 's').map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      's /patches/0/files/0/elsewhere: 0.18.0 is there twice',
      's /patches/0/files/0/elsewhere: 0.17.0 is not in /versions',
      's /patches/0/files/0/elsewhere: 7, 7: lines must rise',
      `s /patches/1/files/0/before: is ${blob(3)}, which no earlier patch leaves`,
    ]);
  });

  it.each([
    [['0.19.8'], '0.19.8'],
    [['0.18.0', '0.18.1', '0.18.2', '0.19.8'], '0.18.0 to 0.18.2 and 0.19.8'],
    [['0.19.8', '0.18.0', '0.19.7', '0.17.3'], '0.17.3, 0.18.0 and 0.19.7, 0.19.8'],
    [[], ''],
  ])('%j are called %s', (versions, words) => {
    expect(knownVersions(packaged([], versions))).toBe(words);
  });
});
