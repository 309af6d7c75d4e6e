import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkUtf8 } from '../../../src/core/dataset/utf8.ts';

/** Bytes near every border of the encoding, more often than chance would have them. */
const byte = fc.oneof(
  fc.constantFrom(
    0x00,
    0x7f,
    0x80,
    0xbf,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xff,
    0x9f,
    0xa0,
    0x90,
    0x8f,
  ),
  fc.nat({ max: 255 }),
);

it("takes what Node's own check takes, and names the first byte that is wrong", () => {
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), (list) => {
      const bytes = Buffer.from(list);
      const { invalidAt } = checkUtf8(bytes, true);
      expect(invalidAt === null).toBe(isUtf8(bytes));
      if (invalidAt !== null) expect(isUtf8(bytes.subarray(0, invalidAt))).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

it('finds the same in pieces, wherever they are cut', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(text, fc.nat(), (string, at) => {
      const bytes = Buffer.from(string);
      const cut = at % (bytes.length + 1);
      const first = checkUtf8(bytes.subarray(0, cut), false);
      expect(first.invalidAt).toBeNull();
      expect(checkUtf8(bytes.subarray(cut - first.pending), true)).toEqual({ invalidAt: null, pending: 0 });
    }),
  );
});
