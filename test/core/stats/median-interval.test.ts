import fc from 'fast-check';
import { expect, it } from 'vitest';
import { median } from '../../../src/core/stats/median.ts';
import { medianInterval } from '../../../src/core/stats/median-interval.ts';
import { autoregressive, createNormal } from './random.ts';

const series = fc.array(fc.double({ min: 1, max: 1e5, noNaN: true }), { minLength: 2, maxLength: 100 });

it('contains the median and lies within the range', () => {
  fc.assert(
    fc.property(series, (values) => {
      const interval = medianInterval(values);
      expect(interval).not.toBeNull();
      if (interval === null) return;
      expect(interval.low).toBeLessThanOrEqual(median(values) + 1e-9);
      expect(interval.high).toBeGreaterThanOrEqual(median(values) - 1e-9);
      expect(interval.low).toBeGreaterThanOrEqual(Math.min(...values));
      expect(interval.high).toBeLessThanOrEqual(Math.max(...values));
      expect(interval.confidence).toBeLessThanOrEqual(0.95);
    }),
  );
});

it('is the textbook one for independent samples: ranks 6 and 15 of 20', () => {
  const shuffled = [11, 3, 17, 8, 20, 1, 14, 6, 10, 19, 4, 13, 7, 16, 2, 12, 18, 5, 15, 9];
  const interval = medianInterval(shuffled);
  expect(interval?.low).toBeCloseTo(6, 9);
  expect(interval?.high).toBeCloseTo(15, 9);
  expect(interval?.confidence).toBe(0.95);
});

it('claims less than 95% of a handful', () => {
  expect(medianInterval([5, 3, 4, 1, 2])?.confidence).toBeLessThan(0.95);
  expect(medianInterval([1])).toBeNull();
});

it.each([10, 20, 50, 100])('covers what it claims over %i autocorrelated steps', (count) => {
  for (const rho of [0, 0.3, 0.6]) {
    const normal = createNormal(count * 31 + rho * 10);
    const trials = 1500;
    let covered = 0;
    let claimed = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const interval = medianInterval(autoregressive(normal, count, rho));
      if (interval === null) continue;
      claimed += interval.confidence / trials;
      if (interval.low <= 100 && interval.high >= 100) covered += 1 / trials;
    }
    // Three standard errors of a simulated share of 95%.
    expect(covered, `rho ${rho}`).toBeGreaterThan(claimed - 0.017);
  }
});
