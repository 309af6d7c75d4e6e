import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { placeSeries } from '../../scripts/place-series.ts';
import type { SeriesFile } from '../../src/core/patches/series.schema.ts';

const lines = (count: number, name = 'line'): string[] =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`);
const known = [...lines(20), 'def f():', '    old', '    end', ...lines(5, 'tail')];
const once = [...known.slice(0, 21), '    new', '    end', ...lines(5, 'tail')];
const twice = [...once.slice(0, 10), 'added', ...once.slice(10)];
const blob = (text: string[]): string => {
  const bytes = `${text.join('\n')}\n`;
  return createHash('sha1').update(`blob ${bytes.length}\0${bytes}`).digest('hex');
};
const patch = (hunk: string[]): string =>
  ['diff --git a/m.py b/m.py', '--- a/m.py', '+++ b/m.py', ...hunk, ''].join('\n');

let folder = '';
const write = (name: string, text: string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
};
const module = (name: string, text: string[]): string => {
  write(`${name}/m.py`, `${text.join('\n')}\n`);
  return join(folder, name);
};
const series = (): SeriesFile =>
  JSON.parse(readFileSync(join(folder, 'p/series.json'), 'utf8')) as SeriesFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'place-'));
  const about = { title: 't', reason: 'r', thread: null, sha256: '0'.repeat(64) };
  write('p/0001-a.patch', patch(['@@ -22 +22 @@ def f():', '-    old', '+    new']));
  write('p/0002-b.patch', patch(['@@ -10,0 +11 @@', '+added']));
  const patches = [
    { ...about, file: '0001-a.patch', files: [{ path: 'm.py', before: blob(known), after: blob(once) }] },
    {
      ...{ ...about, file: '0002-b.patch', when: { deepspeed: '>=1.1' } },
      files: [{ path: 'm.py', before: blob(once), after: blob(twice) }],
    },
  ];
  const made = {
    schemaVersion: 1,
    upstream: 'deepspeed',
    title: 't',
    versions: ['2.0'],
    patches,
    overlay: [],
  };
  write('p/series.json', JSON.stringify(made));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('placeSeries', () => {
  test('finds the same lines elsewhere, and states what they make there', () => {
    const older = ['# licence', ...known.slice(0, 15), 'more', ...known.slice(15)];
    const done = older.map((line) => (line === '    old' ? '    new' : line));
    placeSeries(join(folder, 'p'), module('known', known), module('other', older), '1.2');
    placeSeries(join(folder, 'p'), module('known', known), module('same', older), '1.10');
    placeSeries(join(folder, 'p'), module('known', known), module('oldest', older), '1.0');
    const { versions, patches } = series();
    expect(versions).toEqual(['1.0', '1.2', '1.10', '2.0']);
    const [first, second] = patches.map(({ files }) => files[0]?.elsewhere);
    const all = { versions: ['1.0', '1.2', '1.10'], lines: [24], before: blob(older), after: blob(done) };
    expect(first).toEqual([all]);
    const after = [...done.slice(0, 11), 'added', ...done.slice(11)];
    // Not of 1.0: its condition leaves that out.
    expect(second).toEqual([
      { versions: ['1.2', '1.10'], lines: [11], before: blob(done), after: blob(after) },
    ]);
  });

  test('says nothing of a version that has the very file', () => {
    placeSeries(join(folder, 'p'), module('known', known), module('other', known), '1.9');
    expect(series().versions).toEqual(['1.9', '2.0']);
    expect(series().patches.map(({ files }) => files[0]?.elsewhere)).toEqual([undefined, undefined]);
  });

  test('refuses lines that are gone, that are there twice, and a wrong start; nothing is written', () => {
    const before = readFileSync(join(folder, 'p/series.json'), 'utf8');
    const gone = known.filter((line) => line !== '    old');
    const doubled = [...known, ...known];
    const place = (from: string[], to: string[]) => () => {
      placeSeries(join(folder, 'p'), module('known', from), module('other', to), '1.2');
    };
    expect(place(known, gone)).toThrow(/0001-a\.patch, m\.py: line 21 has no place/);
    expect(place(known, doubled)).toThrow(/0001-a\.patch, m\.py: line 21 has no place, or several/);
    expect(place(once, known)).toThrow(/0001-a\.patch is not made from/);
    expect(readFileSync(join(folder, 'p/series.json'), 'utf8')).toBe(before);
  });
});
