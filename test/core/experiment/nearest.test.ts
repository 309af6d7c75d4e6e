import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../src/core/experiment/nearest.ts';

describe('nearest', () => {
  it.each([
    ['tiny-1m', ['tiny', 'tiny-1M', '2B'], 'tiny-1M'],
    ['sub_group_sise', ['sub_group_size', 'stage'], 'sub_group_size'],
    ['2b', ['1B', '2B'], '2B'],
    ['llama', ['1B', '2B', 'tiny'], undefined],
    ['x', [], undefined],
  ])('%s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });

  it('counts insertions, deletions and replacements', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('same', 'same')).toBe(0);
  });
});
