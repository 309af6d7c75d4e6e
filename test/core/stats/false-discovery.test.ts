import { describe, expect, it } from 'vitest';
import { adjustedPValues } from '../../../src/core/stats/false-discovery.ts';
import { createUniform } from '../../../src/core/stats/pseudo-random.ts';

describe('p values of a family', () => {
  it('are raised as Benjamini and Hochberg did, in the order given', () => {
    // Their example (1995, section 3.2): 15 values, at 5% the first four are discoveries.
    const values = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
      0.759, 1,
    ];
    const adjusted = adjustedPValues(values);
    expect(adjusted.filter((value) => value <= 0.05)).toHaveLength(4);
    expect(adjusted[0]).toBeCloseTo(0.0015, 6);
    expect(adjustedPValues(values.toReversed())).toEqual(adjusted.toReversed());
    expect(adjustedPValues([0.3])).toEqual([0.3]);
    expect(adjustedPValues([])).toEqual([]);
  });

  it('give one false alarm in a hundred families where nothing changed, of one test as of twenty', () => {
    const uniform = createUniform(3);
    for (const size of [1, 20]) {
      let alarms = 0;
      const families = 10_000;
      for (let family = 0; family < families; family += 1) {
        const values = adjustedPValues(Array.from({ length: size }, uniform));
        if (values.some((value) => value < 0.01)) alarms += 1;
      }
      // Three standard errors of a share of 1% of 10,000 are 0.3%.
      expect(alarms / families).toBeLessThan(0.013);
      expect(alarms / families).toBeGreaterThan(0.007);
    }
  });
});
