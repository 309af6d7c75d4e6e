import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvText } from '../../../src/core/text/csv.ts';
import { markdownTable, markdownText } from '../../../src/core/text/markdown.ts';
import { plainText, shownLine } from '../../../src/core/text/plain.ts';
import { anyText, hostileTexts } from './hostile.ts';

describe('plainText', () => {
  it.each([
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://x\u001b\\link', 'link'],
    ['cut \u001b[31', 'cut '],
    ['a\r\nb\rc', 'a\nb\nc'],
    ['tab\tstays', 'tab\tstays'],
    ['nul\u0000 bell\u0007', 'nul\ufffd bell\ufffd'],
    ['\ud83d\ude80 and \ud83d', '\ud83d\ude80 and \ufffd'],
    ['a\u202eb', 'a\ufffdb'],
  ])('%j is %j', (given, shown) => {
    expect(plainText(given)).toBe(shown);
  });

  it('is quick with a line of megabytes and with many escapes', () => {
    const start = performance.now();
    shownLine('x'.repeat(20_000_000));
    plainText('\u001b['.repeat(500_000));
    plainText(`\u001b]${'x'.repeat(1_000_000)}`);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('shownLine', () => {
  it('is one line, cut with the length that it had', () => {
    expect(shownLine('a\n  b\tc ')).toBe('a b c');
    expect(shownLine('x'.repeat(5_000), 10)).toBe(`${'x'.repeat(10)}\u2026 (cut, 5000 characters in all)`);
  });
  it('never ends in half a character', () => {
    expect(shownLine('\ud83d\ude80'.repeat(20), 5)).not.toMatch(/\p{Surrogate}/u);
  });
});

describe('CSV', () => {
  it('quotes by RFC 4180', () => {
    expect(
      csvText(
        ['a', 'b'],
        [
          ['x,y', 'say "x"'],
          [null, true],
        ],
      ),
    ).toBe('a,b\n"x,y","say ""x"""\n,true\n');
  });
  it('keeps numbers numbers, negative ones too, and not-finite ones out', () => {
    expect(csvText(['n'], [[-1.5], [1 / 3], [Number.POSITIVE_INFINITY]])).toBe('n\n-1.5\n0.3333333\n\n');
  });
  it('lets no text be a formula', () => {
    for (const text of [...hostileTexts, ' =1', '\u0000=1', '\u001b[31m=1', '\uff1d1', '\n=1']) {
      const cell = csvText(['t'], [[text]]).slice(2, -1);
      expect(cell.replace(/^"/, '')).not.toMatch(/^\s*[=+\-@]/);
    }
  });
  it('is as many rows as it was given, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), (texts) => {
        const rows = csvText(
          ['t'],
          texts.map((each) => [each]),
        )
          .replace(/"(?:[^"]|"")*"/g, 'q')
          .split('\n');
        expect(rows).toHaveLength(texts.length + 2);
      }),
    );
  });
});

describe('Markdown', () => {
  it.each([
    ['a | b', 'a \\| b'],
    ['<b>', '&lt;b&gt;'],
    ['[x](y)', '\\[x\\](y)'],
    ['zero_offload', 'zero\\_offload'],
    ['# no title', '\\# no title'],
    ['1. no list', '1\\. no list'],
    ['- no list', '\\- no list'],
    ['https://example.invalid', 'https\\://example.invalid'],
  ])('%s is written %s', (given, written) => {
    expect(markdownText(given)).toBe(written);
  });
  it('keeps any text in its cell', () => {
    for (const text of hostileTexts) {
      const table = markdownTable(['t'], [[markdownText(text)]]);
      expect(table.split('\n')).toHaveLength(4);
      expect(
        table
          .split('\n')[2]
          ?.replace(/\\[\\|]/g, '')
          .match(/\|/g),
      ).toHaveLength(2);
      expect(table).not.toMatch(/[<>]/);
    }
  });
});
