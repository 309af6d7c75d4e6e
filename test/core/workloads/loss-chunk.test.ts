import { describe, expect, it } from 'vitest';
import { lossChunkOf } from '../../../src/core/workloads/loss-chunk.ts';
import { sampleCase } from '../sample-case.ts';

const chunk = (change: Parameters<typeof sampleCase>[0]): number | null => lossChunkOf(sampleCase(change));

describe('the chunk of the loss', () => {
  it('is all tokens while their fp32 logits stay within 2 GiB, and 2 GiB beyond', () => {
    const tokens = Math.floor(2 ** 31 / (4 * 50432));
    expect(tokens).toBe(10_645);
    expect(chunk({ microBatch: 1, sequenceLength: tokens })).toBeNull();
    expect(chunk({ microBatch: 1, sequenceLength: tokens + 1 })).toBe(tokens);
    expect(chunk({ microBatch: 4, sequenceLength: 131_072 })).toBe(tokens);
  });

  it("counts a rank's own tokens, of all sequences of a micro-batch", () => {
    expect(chunk({ microBatch: 1, sequenceLength: 32_768 })).toBe(10_645);
    expect(chunk({ microBatch: 1, sequenceLength: 32_768, sequenceParallel: 4 })).toBeNull();
    expect(chunk({ microBatch: 2, sequenceLength: 32_768, sequenceParallel: 4 })).toBe(10_645);
  });

  it('is the one asked for, unless that is everything', () => {
    expect(chunk({ lossChunk: 512 })).toBe(512);
    expect(chunk({ lossChunk: 8 * 1024 })).toBeNull();
    expect(chunk({ sequenceLength: 131_072, lossChunk: 10_000_000 })).toBeNull();
  });

  it("is no choice of Megatron's", () => {
    expect(chunk({ workload: 'megatron', sequenceLength: 131_072 })).toBeNull();
  });
});
