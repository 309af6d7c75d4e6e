import { expect, it } from 'vitest';
import { launchInterval } from '../../../src/core/stats/launch-interval.ts';
import { createNormal } from './random.ts';

it('needs two launches of positive time', () => {
  expect(launchInterval([100])).toBeNull();
  expect(launchInterval([100, 0])).toBeNull();
  expect(launchInterval([100, 100])).toMatchObject({
    lowMs: expect.closeTo(100) as number,
    highMs: expect.closeTo(100) as number,
  });
});
it.each([2, 3, 5, 10])('covers 95%% with %i launches', (launches) => {
  const normal = createNormal(launches);
  let covered = 0;
  for (let trial = 0; trial < 4000; trial += 1) {
    const interval = launchInterval(Array.from({ length: launches }, () => 100 * Math.exp(0.02 * normal())));
    if (interval !== null && interval.lowMs <= 100 && interval.highMs >= 100) covered += 1;
  }
  expect(covered / 4000).toBeGreaterThan(0.938);
  expect(covered / 4000).toBeLessThan(0.962);
});
