import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parameterCount } from '../../../src/core/model/shape.ts';
import { subgroupSizes } from '../../../src/core/model/subgroup-sizes.ts';

const shape = { name: '2B', layers: 40, hidden: 2048, heads: 32, paddedVocabulary: 50432 };

it('cuts 2B at 6e8 after whole layers, as the pinned blocks of a measured run say: 4 + 4 + 4 + 2 GiB', () => {
  const sizes = subgroupSizes(shape, { sequenceLength: 1024, chips: 1, subGroupSize: 6e8 });
  const layer = 12 * 2048 ** 2;
  expect(sizes).toEqual([
    (50432 + 1024) * 2048 + 10 * layer,
    12 * layer,
    12 * layer,
    6 * layer,
    (13 * 40 + 2) * 2048,
  ]);
});

it('loses no parameter, and only the last subgroup of the matrices is smaller than asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 128 }).map((step) => 64 * step),
      fc.constantFrom(1, 2, 4, 16),
      fc.constantFrom(1e7, 1e8, 6e8, 1e9),
      (layers, hidden, chips, subGroupSize) => {
        const model = { ...shape, layers, hidden };
        const sizes = subgroupSizes(model, { sequenceLength: 1024, chips, subGroupSize });
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const exact = parameterCount(model, 1024) / chips;
        expect(total).toBeGreaterThanOrEqual(exact);
        expect(total - exact).toBeLessThanOrEqual(4 * layers + 3);
        expect(sizes.slice(0, -2).every((size) => size >= subGroupSize)).toBe(true);
      },
    ),
  );
});
