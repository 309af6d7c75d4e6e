import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/core/json/json-text.ts';

describe('parseJson', () => {
  it('reads what JSON.parse reads, pretty or not', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, 4), (text, indent) => {
        const value = JSON.parse(text) as unknown;
        expect(parseJson(JSON.stringify(value, null, indent), 'x')).toEqual({ ok: true, value });
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '}', '"', '\u0001', '\\', '01', "'"),
        (text, at, junk) => {
          const cut = at % (text.length + 1);
          const broken = text.slice(0, cut) + junk + text.slice(cut + 1);
          let accepted = true;
          try {
            JSON.parse(broken);
          } catch {
            accepted = false;
          }
          const result = parseJson(broken, 'x');
          const syntax = result.ok
            ? []
            : result.faults.filter((fault) => !fault.problem.endsWith('is there twice'));
          expect(syntax.length === 0).toBe(accepted);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['', 'f:1:1', 'unexpected end of the file'],
    ['{\n  "a": 1,\n}', 'f:3:1', 'unexpected "}"'],
    ['{"a": 1 "b": 2}', 'f:1:9', 'unexpected "\\""'],
    ['{"a" 1}', 'f:1:6', 'unexpected "1" after the key "a"'],
    ['[1, 2', 'f:1:6', 'unexpected end of the file'],
    ['{"a": "b\nc"}', 'f:1:7', 'the text in quotes is cut short or has a bad escape'],
    ['{"a": NaN}', 'f:1:7', 'unexpected "N"'],
    ['{} {}', 'f:1:4', 'unexpected "{" after the end'],
    ['// a comment\n{}', 'f:1:1', 'unexpected "/"'],
  ])('%j is wrong at %s', (text, place, problem) => {
    const result = parseJson(text, 'f');
    expect(result.ok ? [] : result.faults).toMatchObject([{ place, problem }]);
  });

  it('names every duplicate key, at its line and column', () => {
    const result = parseJson('{\n "a": 1,\n "b": {"c": 1, "c": 2},\n "a": 2\n}', 'model.json');
    expect(result.ok ? [] : result.faults.map((fault) => `${fault.place}: ${fault.problem}`)).toEqual([
      'model.json:3:16: the key "c" is there twice',
      'model.json:4:2: the key "a" is there twice',
    ]);
  });

  it('ends on deep nesting with a fault, not with a full stack', () => {
    const result = parseJson('['.repeat(100_000), 'f');
    expect(result.ok ? [] : result.faults[0]?.problem).toBe('more than 200 levels');
  });

  it('takes a byte-order mark, and `__proto__` as a key like any other', () => {
    const result = parseJson('\uFEFF{"__proto__": 1}', 'f');
    expect(result.ok && Object.keys(result.value as object)).toEqual(['__proto__']);
  });
});
