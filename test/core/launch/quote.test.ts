import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteCommand, quoteWord } from '../../../src/core/launch/quote.ts';

/** What a real /bin/sh makes of a command line: its words. */
function splitByShell(line: string): string[] {
  const output = execFileSync('/bin/sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`]);
  return output.toString('utf8').split('\0').slice(0, -1);
}

describe('quoteCommand', () => {
  it('leaves plain words readable', () => {
    expect(quoteCommand(['python', '-m', 'a.b', '--x=1,2', '/p/q:r@s%t+'])).toBe(
      'python -m a.b --x=1,2 /p/q:r@s%t+',
    );
  });

  it.each([
    '',
    ' ',
    "'",
    "''",
    '"',
    '\\',
    '$HOME',
    '`id`',
    '*',
    '~',
    '#',
    '!',
    '\n',
    'a\nb',
    '日本',
    '-n',
    '&&',
    '\t',
  ])('%j is one word again', (word) => {
    expect(splitByShell(quoteWord(word))).toEqual([word]);
  });

  it('is split back into exactly the same words by a real shell', () => {
    const special = fc.constantFrom(' ', "'", '"', '\\', '$', '`', '\n', '*', '~', '#', ';', '&', '|', '<', '(', '=', 'é', '日', '🙂', 'a', '-'); // prettier-ignore
    const word = fc.oneof(
      fc.string({ unit: special }),
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
        (lists) => {
          expect(splitByShell(lists.map(quoteCommand).join(' '))).toEqual(lists.flat());
        },
      ),
      { numRuns: 150 },
    );
  });
});
