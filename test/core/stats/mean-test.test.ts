import { describe, expect, it } from 'vitest';
import { momentsOf, smallSampleEstimate, studentEstimate } from '../../../src/core/stats/mean-test.ts';
import { createUniform } from '../../../src/core/stats/pseudo-random.ts';
import { sortedQuantile } from '../../../src/core/stats/median.ts';
import { createNormal } from './random.ts';

const normal = createNormal(17);
const uniform = createUniform(5);
/** Samples of what has mean 0. */
const kinds = {
  normal,
  // Two sides, each slowed by a neighbour in one launch of ten.
  outliers: () => normal() - normal() + 5 * (Number(uniform() < 0.1) - Number(uniform() < 0.1)),
  skewed: () => -Math.log(1 - uniform()) - 1,
} as const;

/** How often a 95% interval holds the true mean. */
function coverage(
  draw: () => number,
  count: number,
  interval: (values: number[]) => readonly [number, number],
) {
  const trials = 300;
  let held = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const [low, high] = interval(Array.from({ length: count }, draw));
    if (low <= 0 && 0 <= high) held += 1;
  }
  return held / trials;
}

const ours = (values: number[]): readonly [number, number] => {
  const { low, high } = smallSampleEstimate(values)!;
  return [low, high];
};

/** What people write first, and what is too narrow. */
const percentile = (values: number[]): readonly [number, number] => {
  const means = Float64Array.from({ length: 400 }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw += 1) sum += values[Math.floor(uniform() * values.length)]!;
    return sum / values.length;
  }).sort();
  return [sortedQuantile(means, 0.025), sortedQuantile(means, 0.975)];
};

describe('the mean of few values', () => {
  it.each([
    ['normal', 3, 0.93],
    ['normal', 5, 0.93],
    ['normal', 8, 0.93],
    ['outliers', 4, 0.93],
    ['outliers', 8, 0.93],
    ['skewed', 5, 0.9],
    ['skewed', 8, 0.9],
  ] as const)('%s, %i values: the interval covers at least %d', (kind, count, least) => {
    expect(coverage(kinds[kind], count, ours)).toBeGreaterThan(least);
  });

  it('is why no percentile interval is used: of five values it covers far less than it claims', () => {
    expect(coverage(kinds.normal, 5, percentile)).toBeLessThan(0.88);
  });

  it('a p value is uniform where nothing changed, and small where something did', () => {
    const trials = 700;
    let alarms = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const values = Array.from({ length: 6 }, kinds.normal);
      if (smallSampleEstimate(values)!.pBelow < 0.05) alarms += 1;
    }
    expect(alarms / trials).toBeLessThan(0.07);
    expect(smallSampleEstimate([-5, -5.2, -4.9, -5.1, -5, -4.8])!.pBelow).toBeLessThan(0.001);
    expect(smallSampleEstimate([5, 5.2, 4.9, 5.1, 5, 4.8])!.pBelow).toBeGreaterThan(0.999);
  });

  it('repeats, says nothing of one value, and is sure of equal ones', () => {
    const values = [1, 2, 4, 3, 7];
    expect(smallSampleEstimate(values)).toEqual(smallSampleEstimate(values));
    expect(smallSampleEstimate([1])).toBeNull();
    expect(smallSampleEstimate([0, 0, 0, 0, 0])).toEqual({ mean: 0, low: 0, high: 0, pBelow: 1 });
    expect(studentEstimate(-1, 0, 1)).toEqual({ mean: -1, low: -1, high: -1, pBelow: 0 });
    expect(momentsOf([2, 4])).toEqual({ mean: 3, deviation: Math.SQRT2 });
  });
});
