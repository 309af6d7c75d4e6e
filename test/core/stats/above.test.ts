import { describe, expect, it } from 'vitest';
import { median } from '../../../src/core/stats/median.ts';
import { minStableSamples } from '../../../src/core/stats/stable.ts';
import { isSurelyAbove, minAbandonSamples } from '../../../src/core/stats/above.ts';
import { autoregressive, createNormal } from './random.ts';

describe('isSurelyAbove', () => {
  it('never speaks of the first steps, however slow they are', () => {
    for (let count = 0; count <= minAbandonSamples; count += 1) {
      expect(isSurelyAbove(new Float64Array(count).fill(10_000), 100), `${count} steps`).toBe(false);
    }
    expect(isSurelyAbove(new Float64Array(minAbandonSamples + 1).fill(10_000), 100)).toBe(true);
  });

  it('forgives a slow start, and one slow step among fast ones', () => {
    expect(isSurelyAbove([9_000, 900, 800, 700, 90, 91, 90, 92, 90], 100)).toBe(false);
    expect(isSurelyAbove([9_000, 90, 91, 900, 90, 92, 90, 91, 92], 100)).toBe(false);
  });

  it('waits for a run that becomes faster', () => {
    const falling = Array.from({ length: 24 }, (_, step) => 200 - 5 * step);
    expect(isSurelyAbove(falling, 100)).toBe(false);
  });

  it('needs the whole interval above the limit, and not its middle', () => {
    const steps = [500, 104, 97, 108, 103, 99, 106, 105, 102, 98];
    expect(isSurelyAbove(steps, 100)).toBe(false);
    expect(isSurelyAbove(steps, 90)).toBe(true);
  });

  it('hardly ever gives up a run that is within a margin of 5% of the best, asked after each of 30 steps', () => {
    const normal = createNormal(7);
    let given = 0;
    for (let trial = 0; trial < 400; trial += 1) {
      const steps = autoregressive(normal, 30, 0.3, 100);
      const stopped = Array.from(steps).some((_, count) => isSurelyAbove(steps.subarray(0, count + 1), 105));
      if (stopped) given += 1;
    }
    expect(given / 400).toBeLessThan(0.02);
  });

  it('gives up a run that is 20% slower before it would have been stable', () => {
    const normal = createNormal(8);
    const ends = Array.from({ length: 200 }, () => {
      const steps = autoregressive(normal, minStableSamples, 0.1, 120);
      return Array.from(steps).findIndex((_, count) => isSurelyAbove(steps.subarray(0, count + 1), 100));
    });
    expect(ends.filter((end) => end === -1).length).toBeLessThan(10);
    expect(median(ends)).toBeLessThanOrEqual(12);
  });
});
