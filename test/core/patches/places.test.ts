import { describe, expect, it } from 'vitest';
import { moveHunks } from '../../../src/core/patches/places.ts';

const patch = [
  'diff --git a/one.py b/one.py',
  '--- a/one.py',
  '+++ b/one.py',
  '@@ -10,0 +11,2 @@ class One:',
  '+@@ -1,1 +1,1 @@ is a line of the file here',
  '+b',
  '@@ -20 +22 @@ def f():',
  '-c',
  '+d',
  '@@ -30,2 +31,0 @@',
  '--- a line that begins with two dashes',
  '-e',
  'diff --git a/two.py b/two.py',
  '--- a/two.py',
  '+++ b/two.py',
  '@@ -5,0 +6 @@',
  '+f',
  '',
].join('\n');
const headers = (text: string): string[] => text.split('\n').filter((line) => /^@@/.test(line));
const file = (path: string, lines?: number[]) => ({
  ...{ path, before: null, after: 'a'.repeat(40) },
  ...(lines === undefined ? {} : { lines }),
});

describe('moveHunks', () => {
  it('leaves a patch as it is where nothing is elsewhere, but for the way counts are written', () => {
    const moved = moveHunks(patch, [file('one.py'), file('two.py')]);
    expect(moved.replaceAll(',1 ', ' ')).toBe(patch.replaceAll(',1 ', ' '));
  });

  it('puts each hunk where its file has it, and counts on from there', () => {
    const moved = moveHunks(patch, [file('one.py', [110, 220, 330]), file('two.py')]);
    expect(headers(moved)).toEqual([
      '@@ -110,0 +111,2 @@ class One:',
      '@@ -220,1 +222,1 @@ def f():',
      '@@ -330,2 +331,0 @@',
      '@@ -5,0 +6,1 @@',
    ]);
    const rest = (text: string) => text.split('\n').filter((line) => !/^@@/.test(line));
    expect(rest(moved)).toEqual(rest(patch));
  });
});
