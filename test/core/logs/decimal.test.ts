import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readDecimal } from '../../../src/core/logs/formats/decimal.ts';

const read = (word: string): number => readDecimal(` x: ${word}|`, 4, 4 + word.length);

it('a number read in place is the one that Number() reads, or is left to it', () => {
  const written = fc.oneof(
    fc.double({ noNaN: true }).map(String),
    fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((value) => value.toFixed(3)),
    fc.double({ noNaN: true, min: -1e20, max: 1e20 }).map((value) => value.toExponential(6).toUpperCase()),
    fc.stringMatching(/^ *[-+]?[0-9.eE]{1,12} *$/),
  );
  fc.assert(
    fc.property(written, (word) => {
      const value = read(word);
      if (!Number.isNaN(value)) expect(value).toBe(Number(word));
    }),
    { numRuns: 5000 },
  );
  for (const word of ['   1445.9 ', ' 4.999E-05 ', ' -7.5', ' 8 ', '+3.25e+2'])
    expect(read(word), word).toBe(Number(word));
  for (const word of ['', ' ', ' nan', ' 0x10', ' 1.2.3', ' 1e', ' 1 2']) expect(read(word), word).toBeNaN();
});
