import { describe, expect, it } from 'vitest';
import { independentRatio, pairedRatio, ratioWithinRuns } from '../../../src/core/stats/ratio.ts';
import { autoregressive, createNormal } from './random.ts';

describe('pairedRatio', () => {
  it('is above 1 where the candidate is faster, and its inverse the other way round', () => {
    const forth = pairedRatio([200, 210, 190], [100, 104, 96]);
    const back = pairedRatio([100, 104, 96], [200, 210, 190]);
    expect(forth?.ratio).toBeCloseTo(2, 1);
    expect((forth?.ratio ?? 0) * (back?.ratio ?? 0)).toBeCloseTo(1, 10);
    expect((forth?.low ?? 0) * (back?.high ?? 0)).toBeCloseTo(1, 10);
    expect(forth).toMatchObject({ basis: 'between launches', pairs: 3 });
  });
  it('needs two pairs', () => {
    expect(pairedRatio([1], [1])).toBeNull();
  });
  it.each([3, 5])('covers 95%% with %i pairs although the machine drifts', (pairs) => {
    const normal = createNormal(pairs * 7);
    let covered = 0;
    for (let trial = 0; trial < 4000; trial += 1) {
      const drift = Array.from({ length: pairs }, (_, index) => 1 + 0.05 * index);
      const ratio = pairedRatio(
        drift.map((each) => 200 * each * Math.exp(0.01 * normal())),
        drift.map((each) => 100 * each * Math.exp(0.01 * normal())),
      );
      if (ratio !== null && ratio.low <= 2 && ratio.high >= 2) covered += 1;
    }
    expect(covered / 4000).toBeGreaterThan(0.938);
  });
});

describe('independentRatio', () => {
  it.each([
    [3, 3],
    [5, 2],
    [2, 2],
    [3, 1],
    [1, 8],
  ])('covers 95%% with %i launches against %i, although they do not vary alike', (left, right) => {
    const normal = createNormal(left * 31 + right);
    // One launch says nothing of its own spread: there both sides are taken to vary alike.
    const spread = Math.min(left, right) === 1 ? [0.01, 0.01] : [0.01, 0.03];
    let covered = 0;
    for (let trial = 0; trial < 2000; trial += 1) {
      const launches = (count: number, ms: number, deviation = 0): number[] =>
        Array.from({ length: count }, () => ms * Math.exp(deviation * normal()));
      const ratio = independentRatio(launches(left, 200, spread[0]), launches(right, 100, spread[1]));
      if (ratio !== null && ratio.low <= 2 && ratio.high >= 2) covered += 1;
    }
    expect(covered / 2000).toBeGreaterThan(0.935);
  });

  it('is its inverse the other way round, and has no width where nothing varies', () => {
    const [forth, back] = [
      independentRatio([200, 210, 190], [100, 104]),
      independentRatio([100, 104], [200, 210, 190]),
    ];
    expect((forth?.ratio ?? 0) * (back?.ratio ?? 0)).toBeCloseTo(1, 10);
    expect((forth?.low ?? 0) * (back?.high ?? 0)).toBeCloseTo(1, 10);
    const still = independentRatio([200, 200], [100, 100]);
    expect(still?.ratio).toBeCloseTo(2, 10);
    expect((still?.high ?? 0) - (still?.low ?? 1)).toBe(0);
  });

  it.each([
    [[], [1, 2, 3]],
    [[1], [1]],
    [[1], [1, 2]],
  ])('is null of %j against %j', (a, b) => {
    expect(independentRatio(a, b)).toBeNull();
  });
});

describe('ratioWithinRuns', () => {
  it('says what it is and joins both intervals', () => {
    const normal = createNormal(3);
    const ratio = ratioWithinRuns(autoregressive(normal, 40, 0.3, 200), autoregressive(normal, 40, 0.3, 100));
    expect(ratio).toMatchObject({ basis: 'within one run', pairs: 1 });
    expect(ratio?.low).toBeLessThan(2);
    expect(ratio?.high).toBeGreaterThan(2);
  });
  it('is null of a single step', () => {
    expect(ratioWithinRuns([1], [1])).toBeNull();
  });
});
