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
  /** durationMs of the records in bench/measured/ablation-2b.tar.gz, timelines-2b.tar.gz and ablation-5b-part.tar.gz. */
  it.each([
    ['2B', 1, 16, 24.3],
    ['2B', 1, 10, 17.3],
    ['2B', 0.9, 16, 20.9],
    ['2B', 0.05, 16, 14.9],
    ['5B', 1, 8, 38.1],
  ])('%s at ratio %d, %d steps: within 16% of the %d s that it took', (name, ratio, steps, seconds) => {
    const model = shapes().find((shape) => shape.name === name) ?? sampleCase().model;
    const ms = predictDurationMs(sampleCase({ mode: 'prism_overlap', model, ratio }), h200, steps) ?? 0;
    expect(Math.abs(ms / 1000 / seconds - 1)).toBeLessThan(0.16);
  });
});

describe('predictDurationMs at 2B where the optimizer is on the CPU', () => {
  /** durationMs of the records in bench/measured/ablation-2b.tar.gz. */
  it.each([
    ['zero_offload', null, {}, 12, 46.0],
    ['zero_offload', null, { 'superoffload.host_memory': 'registered' }, 12, 31.3],
    ['prism', 0.9, {}, 7, 58.2],
    ['prism', 0.5, {}, 7, 40.4],
  ] as const)(
    '%s, ratio %s, %j, %d steps: within 10% of the %d s that it took',
    (mode, ratio, keys, steps, seconds) => {
      const subject = sampleCase({ mode, ratio, deepspeedOverrides: keys });
      const ms = predictDurationMs(subject, h200, steps) ?? 0;
      expect(Math.abs(ms / 1000 / seconds - 1)).toBeLessThan(0.1);
    },
  );
});
