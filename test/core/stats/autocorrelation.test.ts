import { expect, it } from 'vitest';
import { autocorrelation, effectiveSamples } from '../../../src/core/stats/autocorrelation.ts';
import { autoregressive, createNormal } from './random.ts';

it.each([0, 0.3, 0.6, 0.8])('finds %d in a long series', (rho) => {
  expect(autocorrelation(autoregressive(createNormal(5), 5000, rho))).toBeGreaterThan(rho - 0.07);
  expect(autocorrelation(autoregressive(createNormal(5), 5000, rho))).toBeLessThan(rho + 0.05);
});
it('is none for constants, alternation and too few', () => {
  expect(autocorrelation([5, 5, 5, 5, 5, 5])).toBe(0);
  expect(autocorrelation([1, 2, 1, 2, 1, 2, 1, 2, 1, 2])).toBe(0);
  expect(autocorrelation([1, 2])).toBe(0);
});
it('leaves fewer effective samples than there are, and more than none', () => {
  const values = autoregressive(createNormal(6), 100, 0.7);
  expect(effectiveSamples(values)).toBeLessThan(60);
  expect(effectiveSamples(values)).toBeGreaterThan(1);
});
