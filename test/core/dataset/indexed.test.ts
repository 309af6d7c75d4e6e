import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIndex, writeIndex, type DatasetIndex } from '../../../src/core/dataset/indexed.ts';
import { compareBin, encodeTokens, tokenRange, tokenTypeFor } from '../../../src/core/dataset/tokens.ts';

function indexOf(bytes: Uint8Array): DatasetIndex {
  const reading = readIndex(bytes);
  if (!reading.ok) throw new Error(reading.problems.join('\n'));
  return reading.index;
}

/** Three documents of 3, 0 and 6 tokens, with some bytes replaced. */
function broken(change: (view: DataView) => void): string[] {
  const bytes = writeIndex('uint16', [3, 0, 6]);
  change(new DataView(bytes.buffer));
  return problemsOf(bytes);
}

function problemsOf(bytes: Uint8Array): string[] {
  const reading = readIndex(bytes);
  return reading.ok ? [] : [...reading.problems];
}

describe('an index of Megatron', () => {
  it('reads what it wrote, whatever the documents', () => {
    const documents = fc.array(fc.nat({ max: 100_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(documents, fc.constantFrom('uint16', 'int32'), (lengths, type) => {
        const tokens = lengths.reduce((sum, length) => sum + length, 0);
        const index = indexOf(writeIndex(type, lengths));
        const counts = { type, tokens, sequences: lengths.length, documents: lengths.length };
        expect(index).toMatchObject({ ...counts, binBytes: tokens * (type === 'uint16' ? 2 : 4) });
        expect([...index.documentTokens]).toEqual(lengths);
      }),
    );
  });

  it('has the bytes that Megatron writes', () => {
    const hex = Buffer.from(writeIndex('uint16', [3, 6])).toString('hex');
    const words = ['4d4d49444944580000', '0100000000000000', '08', '0200000000000000', '0300000000000000'];
    const tables = ['03000000', '06000000', '0000000000000000', '0600000000000000'];
    const documents = ['0000000000000000', '0100000000000000', '0200000000000000'];
    expect(hex).toBe([...words, ...tables, ...documents].join(''));
  });

  it('counts the tokens of a document of several sequences', () => {
    // Sequences of 3, 0 and 6 tokens in two documents: the first two, and the last.
    const three = writeIndex('int32', [3, 0, 6]);
    const bytes = new Uint8Array(three.subarray(0, three.length - 8));
    const view = new DataView(bytes.buffer);
    view.setBigUint64(26, 3n, true);
    view.setBigInt64(34 + 36 + 8, 2n, true);
    view.setBigInt64(34 + 36 + 16, 3n, true);
    const index = indexOf(bytes);
    expect(index).toMatchObject({ documents: 2, sequences: 3, tokens: 9 });
    expect([...index.documentTokens]).toEqual([3, 6]);
  });

  it.each<[string, string[], string[]]>([
    ['nothing', problemsOf(new Uint8Array()), ['is empty']],
    ['the old format', problemsOf(Buffer.from('TNTIDX\0\0'.padEnd(64))), ['older, unmapped format (TNTIDX']],
    ['other bytes', problemsOf(Buffer.from('{"a": 1}'.padEnd(64))), ['does not begin with MMIDIDX']],
    [
      'a pointer',
      problemsOf(Buffer.from('version https://git-lfs.github.com/spec/v1\n')),
      ['Git LFS pointer'],
    ],
    ['half a magic', problemsOf(Buffer.from('MMID')), ['is cut after 4 bytes']],
    ['half a header', problemsOf(writeIndex('int32', [1]).subarray(0, 20)), ['is cut: 20 bytes']],
    ['a cut table', problemsOf(writeIndex('int32', [1, 2]).subarray(0, 60)), ['is cut: 60 bytes']],
    [
      'bytes behind it',
      problemsOf(Buffer.concat([writeIndex('int32', [1]), Buffer.alloc(3)])),
      ['is longer than it says: 65 bytes, and 1 sequences with 2 entries of documents take 62'],
    ],
    [
      'a header wrong in every field',
      broken((view) => {
        view.setBigUint64(9, 2n, true);
        view.setUint8(17, 9);
        view.setBigUint64(18, 2n ** 60n, true);
      }),
      ['has version 2', 'has type code 9, unknown', 'is cut: 102 bytes'],
    ],
    [
      'floating tokens',
      broken((view) => {
        view.setUint8(17, 7);
      }),
      ['has type code 7, floating point'],
    ],
    [
      'a negative length',
      broken((view) => {
        view.setInt32(38, -1, true);
      }),
      ['gives sequence 1 -1 tokens', 'says that sequence 2 begins at byte 6, and those before it end at 4'],
    ],
    [
      'a document index that does not add up',
      broken((view) => {
        view.setBigInt64(94, 2n, true);
      }),
      ['has documents of 2 sequences, and 3 sequences'],
    ],
    [
      'a document index that falls',
      broken((view) => {
        view.setBigInt64(78, 3n, true);
      }),
      ['has a document index that falls at entry 2'],
    ],
    [
      'a document index that begins late',
      broken((view) => {
        view.setBigInt64(70, 1n, true);
      }),
      ['has a document index that does not begin with 0'],
    ],
  ])('of %s says what is wrong', (_name, problems, expected) => {
    expect(problems).toHaveLength(expected.length);
    problems.forEach((problem, i) => {
      expect(problem).toContain(expected[i]);
    });
  });

  it('never throws, whatever the bytes', () => {
    const good = writeIndex('uint16', [3, 0, 6]);
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: good.length }), (changes, length) => {
        const bytes = new Uint8Array(good);
        for (const [at, value] of changes) bytes[at] = value;
        readIndex(bytes.subarray(0, length));
      }),
    );
  });
});

describe('tokens', () => {
  it.each([
    [65_499, 'uint16'],
    [65_500, 'int32'],
  ] as const)('of a vocabulary of %i are %s, as Megatron chooses', (vocabulary, type) => {
    expect(tokenTypeFor(vocabulary)).toBe(type);
  });

  it('keep their range in either type; a cut last token is left out', () => {
    expect(tokenRange('uint16', encodeTokens('uint16', [7, 65_499, 3]))).toEqual({
      least: 3,
      largest: 65_499,
    });
    expect(tokenRange('int32', encodeTokens('int32', [-5, 70_000]))).toEqual({ least: -5, largest: 70_000 });
    expect(tokenRange('int32', encodeTokens('int32', [1, 2]).subarray(0, 7))).toEqual({
      least: 1,
      largest: 1,
    });
  });

  it.each([
    [18, 'exact'],
    [16, 'short'],
    [20, 'long'],
    [24, 'uncounted-ends'],
  ] as const)('in %i bytes are %s for an index of 9 tokens in 3 documents', (bytes, expected) => {
    expect(compareBin(indexOf(writeIndex('uint16', [3, 0, 6])), bytes)).toBe(expected);
  });
});
