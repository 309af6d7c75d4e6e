import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDataset } from '../../../src/adapters/dataset/data-file.ts';
import { writeIndex } from '../../../src/core/dataset/indexed.ts';
import { SyntheticText, syntheticEntropy } from '../../../src/core/dataset/synthetic.ts';
import { encodeTokens } from '../../../src/core/dataset/tokens.ts';
import { ensureSynthetic, requireDataset, syntheticPrefix } from '../../../src/workflows/dataset/use.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "superoffload data's set "));
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const request = { vocabulary: 50_257, tokens: 300_001, seed: 7 };

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('a synthetic data set', () => {
  it('is where its path says, exactly as long, the same bytes every time, and nothing beside it', async () => {
    const prefix = await ensureSynthetic(home, request);
    expect(prefix).toBe(syntheticPrefix(home, request));
    const { index, faults } = await findDataset(prefix);
    expect(faults).toEqual([]);
    expect(index).toMatchObject({ tokens: 300_001, type: 'uint16' });
    const lengths = index?.documentTokens.slice(0, -1) ?? new Float64Array();
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(32);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16_383);
    expect(readdirSync(dirname(prefix)).sort()).toEqual(['v50257-n300001-s7.bin', 'v50257-n300001-s7.idx']);
    // Stands for every machine and every Node: the bytes are part of what a record's seed means.
    expect(sha256(`${prefix}.bin`)).toBe('9bdbbd20a79ad9925fbf571b6dcab8d6c71660abf2b7ddb6a494be1fb5f1d62a');
    expect(sha256(`${prefix}.idx`)).toBe('5e026eceed8ea45aaa0da7f3c54a9b3b25fe723659680cb2dfac75ff52686501');
  });

  it('is not made twice, and is made again when it is damaged', async () => {
    const prefix = await ensureSynthetic(home, request);
    const hash = sha256(`${prefix}.bin`);
    writeFileSync(`${prefix}.bin`, Buffer.alloc(600_002));
    await ensureSynthetic(home, request);
    expect(sha256(`${prefix}.bin`)).not.toBe(hash);
    truncateSync(`${prefix}.bin`, 600_000);
    await ensureSynthetic(home, request);
    expect(sha256(`${prefix}.bin`)).toBe(hash);
  });

  it('has the entropy that it states, and every document ends with the last token', () => {
    const text = new SyntheticText({ vocabulary: 50_257, tokens: 400_000, seed: 3 });
    const bytes = text.next(400_000) ?? new Uint8Array();
    const tokens = new Uint16Array(bytes.buffer);
    const pairs = new Map<number, number>();
    const states = new Map<number, number>();
    for (let i = 1; i < tokens.length; i++) {
      const [from, to] = [tokens[i - 1] ?? 0, tokens[i] ?? 0];
      if (from === 50_256 || to === 50_256) continue;
      pairs.set(from * 65_536 + to, (pairs.get(from * 65_536 + to) ?? 0) + 1);
      states.set(from, (states.get(from) ?? 0) + 1);
    }
    const total = [...states.values()].reduce((sum, count) => sum + count, 0);
    let counted = 0;
    for (const [pair, count] of pairs) {
      counted -= (count / total) * Math.log(count / (states.get(Math.floor(pair / 65_536)) ?? 0));
    }
    expect(Math.abs(counted / syntheticEntropy - 1)).toBeLessThan(0.01);
    expect(states.size).toBe(1024);
    expect(pairs.size).toBeLessThanOrEqual(4096);
    let end = 0;
    for (const length of text.documentTokens) expect(tokens[(end += length) - 1]).toBe(50_256);
    expect(end).toBe(400_000);
  });

  it.each([
    [{ vocabulary: 2, tokens: 10, seed: 0 }, 'uint16'],
    [{ vocabulary: 151_936, tokens: 1, seed: 2 ** 31 }, 'int32'],
  ] as const)('%j is written as %s', async (small, type) => {
    const { index } = await findDataset(await ensureSynthetic(home, small));
    expect(index).toMatchObject({ tokens: small.tokens, type });
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const stop = new AbortController();
    const big = { vocabulary: 1000, tokens: 2 ** 31, seed: 1 };
    setTimeout(() => {
      stop.abort(new Error('stopped'));
    }, 200);
    await expect(ensureSynthetic(home, big, stop.signal)).rejects.toThrow('stopped');
    expect(
      readdirSync(join(home, 'datasets/synthetic')).filter((name) => name.includes(`-n${2 ** 31}`)),
    ).toEqual([]);
  });
});

describe('what a run refuses', () => {
  const write = (name: string, tokens: readonly number[], lengths: readonly number[]): string => {
    const prefix = join(home, name);
    writeFileSync(`${prefix}.bin`, encodeTokens('int32', tokens));
    writeFileSync(`${prefix}.idx`, writeIndex('int32', lengths));
    return prefix;
  };
  const refusal = async (prefix: string, need = { vocabulary: 100, tokens: 4 }): Promise<string> => {
    const error = await requireDataset(prefix, need).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'environment' });
    const { message, hint } = error as { message: string; hint: string };
    return `${message}\n--\n${hint}`.replaceAll(home, 'HOME');
  };

  it('takes what fits, also with the ends of documents uncounted', async () => {
    await requireDataset(write('fits', [0, 99, 5, 6], [1, 3]), { vocabulary: 100, tokens: 4 });
    await requireDataset(write('ends', [0, 99, 5, 6, 7, 99], [1, 3]), { vocabulary: 100, tokens: 4 });
  });

  it('a missing set, with every way to get one', async () => {
    const text = await refusal(join(home, 'nowhere'));
    expect(text).toContain('HOME/nowhere.idx: is missing\nHOME/nowhere.bin: is missing');
    expect(text).toContain('superoffload dataset fetch');
    expect(text).toContain('superoffload dataset make --synthetic 1000000 --vocab-size 100 --out DIR');
  });

  it('a prefix that has an ending', async () => {
    expect(await refusal(`${write('ending', [1], [1])}.bin`)).toContain(
      'give the prefix, without .bin: HOME/ending',
    );
  });

  it('a cut .bin, a pointer in its place, and one that belongs to another index', async () => {
    const cut = write('cut', [1, 2, 3], [4]);
    expect(await refusal(cut)).toContain('cut.bin: is cut: 12 bytes (expected 16 bytes: 4 tokens of int32)');
    writeFileSync(`${cut}.bin`, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 16\n');
    expect(await refusal(cut)).toContain('cut.bin: is a Git LFS pointer');
    const longer = write('longer', [1, 2, 3, 4, 5, 6, 7], [4]);
    expect(await refusal(longer)).toContain('longer.bin: is longer than its index: 28 bytes');
  });

  it('all faults of one set at once: too few tokens, ids too large or negative', async () => {
    const text = await refusal(write('ids', [1, 100, 2], [3]));
    expect(text).toContain('ids.idx: has 3 tokens (expected at least 4');
    expect(text).toContain('ids.bin: has the token 100 (expected 0 to 99');
    expect(await refusal(write('negative', [1, -2, 2, 3], [4]))).toContain('has the token -2');
  });

  it('an id too large in the last token of a set too large to read whole', async () => {
    const tokens = new Int32Array(9 * 2 ** 20);
    tokens[tokens.length - 1] = 100;
    const prefix = join(home, 'large');
    writeFileSync(`${prefix}.bin`, tokens);
    writeFileSync(`${prefix}.idx`, writeIndex('int32', [tokens.length]));
    expect(await refusal(prefix)).toContain('large.bin: has the token 100');
    expect(existsSync(`${prefix}.idx`)).toBe(true);
  });
});
