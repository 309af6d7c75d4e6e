import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countWarmUpSteps } from '../../../src/core/stats/warm-up.ts';
import { createNormal } from './random.ts';

it('takes the slow first step of a real run', () => {
  expect(
    countWarmUpSteps([5159.8, 1491.5, 1472.1, 1477.3, 1445.9, 1447, 1490.7, 1459.3, 1460.3, 1395.3]),
  ).toBe(1);
});

it.each([
  ['nothing of one', [5], 0],
  ['the first of few', [50, 5, 5], 1],
  ['the first although it is no slower', [5, 5, 5, 5, 5, 5, 5, 5], 1],
  ['three slow ones', [90, 40, 12, 5, 5.1, 5, 4.9, 5, 5.1, 5], 3],
  ['up to a slow one shortly after', [90, 5, 40, 5, 5.1, 5, 4.9, 5, 5.1, 5, 5, 5], 3],
  ['no hiccup after three steady ones', [90, 5, 5, 5, 5, 40, 5, 5, 5.1, 5, 4.9, 5, 5.1, 5, 5, 5], 1],
])('takes %s', (_, steps, expected) => {
  expect(countWarmUpSteps(steps)).toBe(expected);
});

it('never takes more than half, and at least half remains', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { maxLength: 100 }), (steps) => {
      const warmUp = countWarmUpSteps(steps);
      expect(warmUp).toBeLessThanOrEqual(Math.max(1, Math.floor(steps.length / 2)));
    }),
  );
});

it('does not depend on the unit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 60 }), (steps) => {
      expect(countWarmUpSteps(steps.map((step) => step * 1024))).toBe(countWarmUpSteps(steps));
    }),
  );
});

it.each([6, 10, 20, 50, 100])('takes hardly more than the first of %i steady noisy steps', (count) => {
  const normal = createNormal(count);
  let extra = 0;
  for (let trial = 0; trial < 500; trial += 1) {
    extra += countWarmUpSteps(Float64Array.from({ length: count }, () => 100 + 2 * normal())) - 1;
  }
  expect(extra / 500).toBeLessThan(0.2);
});
