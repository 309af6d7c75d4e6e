import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineAndColumn, syntaxErrorIndex } from '../../../src/core/json/syntax.ts';

describe('syntaxErrorIndex', () => {
  it.each([
    ['{"a": oops}', 6],
    ['{"a": 1,}', 8],
    ['[1 2]', 3],
    ['{"a": "tab\there"}', 6],
    ['[1, 2', 5],
    ['', 0],
    ['{} x', 3],
    ["{'a': 1}", 1],
    ['[01]', 2],
  ])('%j: %i', (text, index) => {
    expect(syntaxErrorIndex(text)).toBe(index);
  });

  it('agrees with JSON.parse on whether there is an error', () => {
    const isValid = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '}', '"', '0', ' ', '\\'),
        (text, at, extra) => {
          const place = at % (text.length + 1);
          const changed = text.slice(0, place) + extra + text.slice(place + (extra === '' ? 1 : 0));
          expect(syntaxErrorIndex(changed) === undefined).toBe(isValid(changed));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('counts lines and columns from 1', () => {
    expect(lineAndColumn('ab\ncd', 4)).toBe('2:2');
    expect(lineAndColumn('ab', 0)).toBe('1:1');
  });
});
