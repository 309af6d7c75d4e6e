import { describe, expect, it } from 'vitest';
import { namedSystem, shapes } from '../../../bench/predict-measured.ts';
import { unknownRates } from '../../../src/core/experiment/case.ts';
import { predictDurationMs } from '../../../src/core/model/duration.ts';
import { predictCase } from '../../../src/core/model/predict.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = namedSystem('h200');

describe('predictDurationMs', () => {
  it('grows by a step for each step, and by the making of the optimizer on the CPU', () => {
    const stepMs = predictCase(sampleCase(), h200).time?.stepMs ?? 0;
    const run = (steps: number, mode: 'zero_offload' | 'zero_2' = 'zero_offload'): number =>
      predictDurationMs(sampleCase({ mode }), h200, steps) ?? 0;
    expect(run(11) - run(1)).toBeCloseTo(10 * stepMs);
    expect(run(0, 'zero_2')).toBe(7_300);
    expect(run(0)).toBeGreaterThan(run(0, 'zero_2'));
    expect(predictDurationMs(sampleCase(), { ...h200, rates: unknownRates }, 10)).toBeNull();
  });
});

describe('predictDurationMs of prism_overlap', () => {
  /** durationMs of the records in bench/measured/overlap-runs.tar.gz. */
  it.each([
    ['2B', 1, 20, 30.5],
    ['2B', 0.9, 9, 23.5],
    ['5B', 1, 7, 37.9],
    ['7B', 0.55, 8, 41.5],
    ['15B', 0.52, 4, 65.6],
  ])('%s at ratio %d, %d steps: within 15% of the %d s that it took', (name, ratio, steps, seconds) => {
    const model = shapes().find((shape) => shape.name === name) ?? sampleCase().model;
    const large = name === '15B' ? { microBatch: 1, globalBatch: 1, activationCheckpointing: true } : {};
    const ms =
      predictDurationMs(sampleCase({ mode: 'prism_overlap', model, ratio, ...large }), h200, steps) ?? 0;
    expect(Math.abs(ms / 1000 / seconds - 1)).toBeLessThan(0.15);
  });
});
