import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCount, formatDuration, formatNumber } from '../../../src/cli/text/format.ts';

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [1, '1'],
    [0.0123456, '0.01235'],
    [1234.567, '1235'],
    [123_456, '123500'],
    [9_999_999, '10000000'],
    [12_345_678, '1.23e+7'],
    [0.00012345, '1.23e-4'],
    [-2.5, '-2.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('%s is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('is never off by more than half of the last digit shown', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
        expect(Math.abs(Number(formatNumber(value)) / value - 1)).toBeLessThan(6e-3);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0.0s'],
    [400, '0.4s'],
    [9_949, '9.9s'],
    [9_999, '10s'],
    [12_400, '12s'],
    [59_600, '1m00s'],
    [185_000, '3m05s'],
    [3_599_600, '1h00m'],
    [7_800_000, '2h10m'],
    [90_000_000, '25h00m'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatCount', () => {
  it.each([
    [999, '999'],
    [141_056, '141.1K'],
    [23_456_789, '23.5M'],
    [999_999, '1.0M'],
    [2_120_000_000, '2.120B'],
    [290.4e9, '290.400B'],
  ])('%i is %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });
});
