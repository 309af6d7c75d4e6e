import { expect, it } from 'vitest';
import { groupBy } from '../../../src/core/collections/group-by.ts';

it('keeps values and keys in the order in which they came', () => {
  const groups = groupBy([3, 1, 4, 1, 5, 9], (value) => value % 2 === 0);
  expect([...groups]).toEqual([
    [false, [3, 1, 1, 5, 9]],
    [true, [4]],
  ]);
  expect(groupBy([], String).size).toBe(0);
});
