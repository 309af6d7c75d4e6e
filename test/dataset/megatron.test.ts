import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDataset } from '../../src/adapters/dataset/data-file.ts';
import { writeIndex } from '../../src/core/dataset/indexed.ts';
import { encodeTokens, tokenTypeFor } from '../../src/core/dataset/tokens.ts';
import { ensureSynthetic } from '../../src/workflows/dataset/use.ts';
import { realStack } from '../real-stack.ts';
import { runPython } from '../trainer/cases.ts';
import { megatronFile, megatronMissing, withMegatron } from './python.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'superoffload megatron '));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Read {
  readonly kind: string;
  readonly type: string;
  readonly documents: number[];
  readonly sizes: number[];
  readonly tokens: number[][];
}

const documents = (vocabulary: number): number[][] => [[1, 2, 3], [vocabulary - 1], [], [5, 0, 6, 7]];
const written = { uint16: 65_499, int32: 65_500 };

describe.skipIf(megatronMissing !== null)(
  `Megatron's own indexed_dataset.py (${megatronMissing ?? 'at the pinned commit'})`,
  () => {
    let synthetic: string;
    let read: Read;
    // One start of Python for all: it loads torch.
    beforeAll(async () => {
      synthetic = await ensureSynthetic(folder, { vocabulary: 50_257, tokens: 50_000, seed: 5 });
      const jobs = Object.entries(written).map(([type, vocabulary]) => ({
        ...{ write: join(folder, type), vocabulary, documents: documents(vocabulary) },
      }));
      const file = megatronFile('megatron/data/indexed_dataset.py', folder);
      read = withMegatron(realStack.python, file, [...jobs, { read: synthetic }]).at(-1) as Read;
    }, 600_000);

    it.each(['uint16', 'int32'] as const)('writes, byte by byte, what is written here: %s', async (type) => {
      const prefix = join(folder, type);
      const tokens = documents(written[type]);
      expect(tokenTypeFor(written[type])).toBe(type);
      const index = writeIndex(
        type,
        tokens.map(({ length }) => length),
      );
      expect(readFileSync(`${prefix}.idx`).equals(index)).toBe(true);
      expect(readFileSync(`${prefix}.bin`).equals(encodeTokens(type, tokens.flat()))).toBe(true);
      const found = await findDataset(prefix);
      expect(found).toMatchObject({ faults: [], index: { type, documents: 4, tokens: 8 } });
    });

    it('reads a synthetic data set: every document, its end included', async () => {
      expect(read).toMatchObject({ kind: 'MMapIndexedDataset', type: 'uint16' });
      const { index } = await findDataset(synthetic);
      expect(read.sizes).toEqual([...(index?.documentTokens ?? [])]);
      expect(read.documents).toEqual([...Array(read.sizes.length + 1).keys()]);
      expect(read.tokens.map((document) => document.at(-1))).toEqual(read.sizes.map(() => 50_256));
      const bin = readFileSync(`${synthetic}.bin`);
      expect(read.tokens.flat()).toEqual(Array.from({ length: 50_000 }, (_, i) => bin.readUInt16LE(2 * i)));
    });
  },
);

it("the built-in trainer's reader takes a synthetic data set", async () => {
  const prefix = await ensureSynthetic(folder, { vocabulary: 66_000, tokens: 641, seed: 5 });
  const script = join(import.meta.dirname, '../trainer/print_samples.py');
  const end = await runPython([script, 'file', prefix, '64', '7', '10', '66000']);
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const { samples } = JSON.parse(end.stdout) as { samples: number[][] };
  const bin = readFileSync(`${prefix}.bin`);
  const window = (i: number): number[] =>
    Array.from({ length: 65 }, (_, at) => bin.readInt32LE((i * 64 + at) * 4));
  for (let i = 0; i < 10; i++) expect(samples).toContainEqual(window(i));
});
