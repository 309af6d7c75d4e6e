import { describe, expect, it } from 'vitest';
import type { FigureData, Mark } from '../../../../src/core/figures/figure-data.ts';
import { caseTflops } from '../../../../src/core/model/shape.ts';
import { base, launches, type Launch } from '../launches.ts';
import { built, machineOf, markAt } from '../scene-inputs.ts';

const figure10 = (...given: readonly Launch[]): FigureData =>
  built(10, machineOf(launches(...given)), { showPredicted: false });
const cell = '1chip zero_offload 2B';
const bar = (...given: readonly Launch[]): Mark => markAt(figure10(...given), 'measured', cell);
const small = { microBatch: 2, gradientAccumulation: 4 } as const;

describe('what is averaged', () => {
  it.each([
    ['DeepSpeed JSON', { change: { deepspeedHash: '00000001' } }, 'with another DeepSpeed JSON'],
    ['activation offload', { subject: { activationOffload: true } }, 'with activation offload'],
  ] as const)('is of one %s alone', (_, other, reason) => {
    const now = { stepMs: 1000, change: { deepspeedHash: '00000002' } };
    const data = figure10({ stepMs: 400, ...other }, now, now);
    const mark = markAt(data, 'measured', cell);
    expect(mark.value).toBeCloseTo(caseTflops(base.case!, 1001).modelTflops, 0);
    expect(mark.runIds).toHaveLength(2);
    expect(data.footnotes.join()).toContain(`Left out: 1 run ${reason}.`);
  });

  it('takes along a record that does not say its DeepSpeed JSON, and holds each batch to its own', () => {
    const known = { stepMs: 1000, change: { deepspeedHash: '00000002' } };
    expect(bar({ stepMs: 1000 }, known).basis).toBe('95% between 2 launches');
    const [whole, part] = [
      { outcome: 'gpu_oom', change: { deepspeedHash: '00000003' } } as const,
      { ...known, subject: small },
    ];
    expect(bar(whole, part).notes).toEqual(['accumulation 4']);
  });
});
