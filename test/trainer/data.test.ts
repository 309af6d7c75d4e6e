import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPython } from './cases.ts';

interface Printed {
  readonly entropy: number | null;
  readonly samples: number[][];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trainer-data-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const script = join(import.meta.dirname, 'print_samples.py');

async function printSamples(...argv: (string | number)[]): Promise<Printed> {
  const end = await runPython([script, ...argv.map(String)]);
  if (end.code !== 0) throw new Error(end.stderr);
  return JSON.parse(end.stdout) as Printed;
}

/** Writes Megatron's MMapIndexedDataset by its published layout. */
function writeDataset(
  name: string,
  documents: readonly (readonly number[])[],
  code: 4 | 8,
  breakIndex: (index: Buffer) => Buffer = (index) => index,
): string {
  const width = code === 4 ? 4 : 2;
  const tokens = documents.flat();
  const bin = Buffer.alloc(tokens.length * width);
  tokens.forEach((token, i) =>
    width === 4 ? bin.writeInt32LE(token, i * 4) : bin.writeUInt16LE(token, i * 2),
  );
  const header = Buffer.alloc(34);
  header.write('MMIDIDX\0\0', 'latin1');
  header.writeBigUInt64LE(1n, 9);
  header.writeUInt8(code, 17);
  header.writeBigUInt64LE(BigInt(documents.length), 18);
  header.writeBigUInt64LE(BigInt(documents.length + 1), 26);
  const sizes = Buffer.alloc(documents.length * 4);
  const pointers = Buffer.alloc(documents.length * 8);
  const firsts = Buffer.alloc((documents.length + 1) * 8);
  let position = 0;
  documents.forEach((document, i) => {
    sizes.writeInt32LE(document.length, i * 4);
    pointers.writeBigInt64LE(BigInt(position * width), i * 8);
    firsts.writeBigInt64LE(BigInt(i + 1), (i + 1) * 8);
    position += document.length;
  });
  const prefix = join(folder, name);
  writeFileSync(`${prefix}.bin`, bin);
  writeFileSync(`${prefix}.idx`, breakIndex(Buffer.concat([header, sizes, pointers, firsts])));
  return prefix;
}

describe('Markov chain', () => {
  // One chain, 256 samples of 257 tokens: enough for the counted entropy to come within a percent.
  let first: Printed;
  beforeAll(async () => {
    first = await printSamples('markov', 32, 256, 1234, 256);
  });

  test('has the entropy it states', () => {
    const pairs = new Map<number, number>();
    const states = new Map<number, number>();
    let total = 0;
    for (const sample of first.samples) {
      for (let i = 1; i < sample.length; i++) {
        const from = sample[i - 1] ?? -1;
        const pair = from * 1000 + (sample[i] ?? -1);
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
        states.set(from, (states.get(from) ?? 0) + 1);
        total++;
      }
    }
    let counted = 0;
    for (const [pair, count] of pairs) {
      counted -= (count / total) * Math.log(count / (states.get(Math.floor(pair / 1000)) ?? 0));
    }
    expect(Math.abs(counted / (first.entropy ?? 0) - 1)).toBeLessThan(0.01);
    expect(pairs.size).toBeLessThanOrEqual(32 * 4);
    expect(states.size).toBe(32);
  });

  test('gives the same sample to whoever asks, and other ones for another seed', async () => {
    const again = await printSamples('markov', 32, 256, 1234, 3);
    const other = await printSamples('markov', 32, 256, 99, 3);
    expect(again.samples).toEqual(first.samples.slice(0, 3));
    expect(other.samples).not.toEqual(again.samples);
  });

  test('two states are enough', async () => {
    const two = await printSamples('markov', 2, 8, 1, 2);
    expect(two.samples.flat().every((token) => token === 0 || token === 1)).toBe(true);
  });
});

describe('Megatron .bin/.idx', () => {
  const documents = [
    [5, 6, 7],
    [8, 9, 60_000, 11, 12, 13],
    [14, 15, 16, 17],
  ];
  const stream = documents.flat();
  // 13 tokens in samples of 3 (+1): windows at 0, 3, 6, 9.
  const windows = [0, 3, 6, 9].map((start) => stream.slice(start, start + 4));

  test.each([
    ['uint16', 8],
    ['int32', 4],
  ] as const)('%s: every window once an epoch, in another order each epoch', async (name, code) => {
    const prefix = writeDataset(name, documents, code);
    const { samples, entropy } = await printSamples('file', prefix, 3, 7, 40, 65_536);
    const order = (epoch: number) => samples.slice(epoch * 4, epoch * 4 + 4);
    const sorted = (list: readonly number[][]) => [...list].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
    for (let epoch = 0; epoch < 10; epoch++) expect(sorted(order(epoch))).toEqual(windows);
    expect(new Set(Array.from({ length: 10 }, (_, e) => JSON.stringify(order(e)))).size).not.toBe(1);
    expect(entropy).toBeNull();
  });

  test('every type of whole numbers that Megatron has', async () => {
    const small = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
    const widths = { 1: 1, 2: 1, 3: 2, 5: 8 };
    for (const [code, width] of Object.entries(widths)) {
      const prefix = writeDataset(`type${code}`, [small], 4, (index) => {
        index.writeUInt8(Number(code), 17);
        return index;
      });
      const bin = Buffer.alloc(small.length * width);
      small.forEach((token, i) => bin.writeUInt8(token, i * width));
      writeFileSync(`${prefix}.bin`, bin);
      const { samples } = await printSamples('file', prefix, 9, 7, 1, 16);
      expect(samples).toEqual([small]);
    }
  });

  test('the ends of documents that Megatron writes and does not count are text like all other', async () => {
    const prefix = writeDataset('ends', documents, 4);
    const ended = documents.flatMap((document) => [...document, 99]);
    const bin = Buffer.alloc(ended.length * 4);
    ended.forEach((token, i) => bin.writeInt32LE(token, i * 4));
    writeFileSync(`${prefix}.bin`, bin);
    const { samples } = await printSamples('file', prefix, 3, 7, 5, 65_536);
    const all = [0, 3, 6, 9, 12].map((start) => ended.slice(start, start + 4));
    for (const window of all) expect(samples).toContainEqual(window);
  });

  test.each<[string, () => string, RegExp]>([
    [
      'another magic',
      () =>
        writeDataset('magic', documents, 4, (index) => Buffer.from('x' + index.toString('latin1'), 'latin1')),
      /config error: .*magic\.idx is not a Megatron index/,
    ],
    [
      'another type',
      () =>
        writeDataset('type', documents, 4, (index) => {
          index.writeUInt8(6, 17);
          return index;
        }),
      /config error: .*type\.idx has version 1 and type code 6; expected version 1 and a type of 1, 2, 3, 4, 5, 8/,
    ],
    [
      'an index that is cut',
      () => writeDataset('cut', documents, 4, (index) => index.subarray(0, 40)),
      /config error: .*cut\.bin has 13 tokens; its index says 3/,
    ],
    [
      'fewer tokens than one sample',
      () => writeDataset('short', [[1, 2, 3]], 4),
      /config error: .*short\.bin has 3 tokens; .* one sample takes 4/,
    ],
    [
      'a token beyond the vocabulary',
      () => writeDataset('beyond', [[1, 2, 3, 70_000]], 4),
      /config error: token 70000 in the data, but the vocabulary has 65536/,
    ],
  ])('%s is one clear message', async (_name, write, message) => {
    const end = await runPython([script, 'file', write(), '3', '7', '1', '65536']);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(message);
    expect(end.stderr).not.toContain('Traceback');
  });
});
