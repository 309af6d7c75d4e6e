import { expect, it } from 'vitest';
import { summarizeSteps } from '../../../src/core/stats/steps.ts';

it('summarizes a real run', () => {
  const steps = [5159.8, 1491.5, 1472.1, 1477.3, 1445.9, 1447, 1490.7, 1459.3, 1460.3, 1395.3];
  expect(summarizeSteps(steps)).toMatchObject({
    samples: 9,
    warmUpSteps: 1,
    medianMs: 1460.3,
    minMs: 1395.3,
    maxMs: 1491.5,
    interval: { basis: 'within one run' },
  });
});
it('is null of nothing', () => {
  expect(summarizeSteps([])).toBeNull();
});
