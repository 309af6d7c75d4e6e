import { describe, expect, it } from 'vitest';
import { workerLagMs } from '../../../src/core/model/superoffload-worker.ts';

const queue = {
  subgroups: [600, 600, 600, 300, 1],
  elements: 2101,
  bucketElements: 600,
  backwardMs: 2101,
  stepMs: (elements: number): number => elements / 2,
};

describe('workerLagMs', () => {
  it('waits for the last subgroup, and for the vectors, where the worker keeps pace', () => {
    expect(workerLagMs(queue)).toBeCloseTo((600 + 1) / 2);
  });

  it('adds up what the worker is behind: it begins when the first bucket is full', () => {
    const twice = { ...queue, stepMs: (elements: number): number => 2 * elements };
    // Buckets end at 600, 1200 and 1800; subgroups are complete at 300, 900 and 1500.
    expect(workerLagMs(twice)).toBeCloseTo(600 + 2 * 2101 - 2101);
  });

  it('begins earlier with small buckets, and has nothing to do where all is on the GPU', () => {
    const slow = { ...queue, stepMs: (elements: number): number => 2 * elements };
    expect(workerLagMs({ ...slow, bucketElements: 100 })).toBeCloseTo(300 + 2 * 2101 - 2101);
    expect(workerLagMs({ ...queue, subgroups: [] })).toBe(0);
  });

  /** The recorded step of prism as published at 2B, bench/measured/timelines-2b.tar.gz: 386 ms. */
  it('says the recorded step within 70 ms', () => {
    const recorded = workerLagMs({
      subgroups: [608_698_368, 603_979_776, 603_979_776, 301_989_888, 1_069_056],
      elements: 2_119_716_864,
      bucketElements: 6e8,
      backwardMs: 1197,
      stepMs: (elements) => (elements * (0.135 + 0.273 + 0.11)) / 1e6,
    });
    expect(Math.abs(recorded - 386)).toBeLessThan(70);
  });
});
