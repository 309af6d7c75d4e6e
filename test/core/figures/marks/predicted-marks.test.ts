import { expect, it } from 'vitest';
import { namedSystem } from '../../../../bench/predict-measured.ts';
import { predictedSpeed } from '../../../../src/core/figures/marks/predicted-marks.ts';
import { predictTime } from '../../../../src/core/model/step-time.ts';
import { sampleCase } from '../../sample-case.ts';

const system = namedSystem('deltaai');
const at = { panel: 'one', series: 'zero_offload', x: '2B' };

it.each([true, false])(
  'a run that takes its node whole is predicted with all of its host, too: rule %s',
  (hasRule) => {
    const subject = sampleCase();
    const tflops = (exclusiveHost: boolean) =>
      predictedSpeed(at, subject, { system, options: { exclusiveHost } }, { hasRule, unit: 'tflops' })?.value;
    expect(tflops(false)).toBeCloseTo(predictTime(subject, system)!.tflops.modelTflops);
    expect(tflops(true)).toBeCloseTo(
      predictTime(subject, system, { exclusiveHost: true })!.tflops.modelTflops,
    );
    expect(tflops(true)).toBeGreaterThan(1.2 * tflops(false)!);
  },
);
