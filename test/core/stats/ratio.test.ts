import { describe, expect, it } from 'vitest';
import { pairedRatio, ratioWithinRuns } from '../../../src/core/stats/ratio.ts';
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
