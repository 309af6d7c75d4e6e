import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveBatch } from '../../../src/core/model/batch.ts';

const count = fc.integer({ min: 1, max: 512 });
const optional = fc.option(count, { nil: undefined });

describe('resolveBatch', () => {
  it('global = micro x accumulation x data-parallel always, or there is a fault', () => {
    fc.assert(
      fc.property(
        optional,
        optional,
        count,
        fc.constantFrom(1, 2, 4, 8),
        (microBatch, globalBatch, chips, sp) => {
          const request = {
            chips,
            sequenceParallel: sp,
            ...(microBatch === undefined ? {} : { microBatch }),
            ...(globalBatch === undefined ? {} : { globalBatch }),
          };
          const result = resolveBatch(request);
          if (!result.ok) {
            expect(result.faults.length).toBeGreaterThan(0);
            const divisible =
              chips % sp === 0 && (globalBatch ?? 0) % ((microBatch ?? 1) * (chips / sp)) === 0;
            expect(divisible).toBe(false);
            return;
          }
          const { batch } = result;
          expect(batch.globalBatch).toBe((batch.microBatch * batch.gradientAccumulation * chips) / sp);
          for (const value of Object.values(batch)) expect(Number.isInteger(value) && value > 0).toBe(true);
          if (microBatch !== undefined) expect(batch.microBatch).toBe(microBatch);
          if (globalBatch !== undefined) expect(batch.globalBatch).toBe(globalBatch);
        },
      ),
    );
  });

  it.each([
    [
      { chips: 4, globalBatch: 16 },
      { microBatch: 4, globalBatch: 16, gradientAccumulation: 1 },
    ],
    [
      { chips: 4, globalBatch: 16, microBatch: 1 },
      { microBatch: 1, globalBatch: 16, gradientAccumulation: 4 },
    ],
    [
      { chips: 2, microBatch: 8 },
      { microBatch: 8, globalBatch: 16, gradientAccumulation: 1 },
    ],
    [{ chips: 3 }, { microBatch: 1, globalBatch: 3, gradientAccumulation: 1 }],
    [
      { chips: 8, sequenceParallel: 4, globalBatch: 2 },
      { microBatch: 1, globalBatch: 2, gradientAccumulation: 1 },
    ],
  ])('%j', (request, batch) => {
    expect(resolveBatch(request)).toEqual({ ok: true, batch });
  });

  it('says which global batches would do', () => {
    expect(resolveBatch({ chips: 4, microBatch: 3, globalBatch: 16 })).toEqual({
      ok: false,
      faults: [
        {
          place: '--global-batch',
          problem: '16 sequences cannot be shared by 4 data-parallel ranks with a micro-batch of 3',
          expected: 'a multiple of 12, for example 12 or 24',
        },
      ],
    });
  });

  it('names every number that is no count', () => {
    const result = resolveBatch({ chips: 0, microBatch: 1.5, globalBatch: -8 });
    expect(result.ok ? [] : result.faults.map((fault) => fault.place)).toEqual([
      '--micro-batch',
      '--global-batch',
      '--chips',
    ]);
  });
});
