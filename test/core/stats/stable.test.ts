import { expect, it } from 'vitest';
import { isStable, minStableSamples } from '../../../src/core/stats/stable.ts';
import { autoregressive, createNormal } from './random.ts';

it('never stops before the minimum', () => {
  for (let count = 0; count <= minStableSamples; count += 1) {
    expect(isStable(new Float64Array(count).fill(100), 0.5)).toBe(false);
  }
  expect(isStable(new Float64Array(minStableSamples + 1).fill(100), 0.001)).toBe(true);
});
it('stops for the asked error and not for a smaller one', () => {
  const steps = autoregressive(createNormal(4), 60, 0.2, 100);
  expect(isStable(steps, 0.02)).toBe(true);
  expect(isStable(steps, 0.0005)).toBe(false);
});
it('is right about its error nearly always where it stops', () => {
  const normal = createNormal(11);
  let stopped = 0;
  let right = 0;
  for (let trial = 0; trial < 400; trial += 1) {
    const steps = autoregressive(normal, 100, 0.3, 30);
    for (let count = 6; count <= 100; count += 1) {
      if (!isStable(steps.subarray(0, count), 0.02)) continue;
      stopped += 1;
      const seen = [...steps.subarray(1, count)].sort((a, b) => a - b)[Math.floor((count - 1) / 2)] ?? 0;
      if (Math.abs(seen - 30) <= 0.02 * 30) right += 1;
      break;
    }
  }
  expect(stopped).toBeGreaterThan(200);
  expect(right / stopped).toBeGreaterThan(0.9);
});
