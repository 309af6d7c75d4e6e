import { describe, expect, it } from 'vitest';
import { lossChunkOf } from '../../../src/core/workloads/loss-chunk.ts';
import { sampleCase } from '../sample-case.ts';

const chunk = (change: Parameters<typeof sampleCase>[0]): number | null => lossChunkOf(sampleCase(change));

describe('the chunk of the loss', () => {
  it('is all tokens while their fp32 logits stay within 2 GiB', () => {
    const tokens = Math.floor(2 ** 31 / (4 * 50432));
    expect(tokens).toBe(10_645);
    expect(chunk({ microBatch: 1, sequenceLength: tokens })).toBeNull();
    // One token more, and the logits of a chunk are within 512 MiB.
    expect(chunk({ microBatch: 1, sequenceLength: tokens + 1 })).toBe(2661);
    expect(2661 * 4 * 50432).toBeLessThanOrEqual(2 ** 29);
    expect(2662 * 4 * 50432).toBeGreaterThan(2 ** 29);
  });

  it("counts a rank's own tokens, of all sequences of a micro-batch", () => {
    expect(chunk({ microBatch: 1, sequenceLength: 32_768 })).toBe(2661);
    expect(chunk({ microBatch: 1, sequenceLength: 32_768, sequenceParallel: 4 })).toBeNull();
    expect(chunk({ microBatch: 2, sequenceLength: 32_768, sequenceParallel: 4 })).toBe(2661);
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
