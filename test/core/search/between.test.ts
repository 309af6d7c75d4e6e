import { describe, expect, it } from 'vitest';
import {
  doubledLengths,
  lengthsBetween,
  shapesBelow,
  shapesBetween,
} from '../../../src/core/search/between.ts';
import { predictedEdge } from '../../../src/core/search/predicted-edge.ts';

const shape = (layers: number, hidden: number) => ({
  name: `${layers}`,
  layers,
  hidden,
  heads: 32,
  paddedVocabulary: 50432,
});

describe('finer candidates', () => {
  it('by layers between two sizes of one width', () => {
    const found = shapesBetween(shape(50, 4096), shape(55, 4096), { step: 1, sequenceLength: 2048 });
    expect(found.map(({ name }) => name)).toEqual(['51x4096', '52x4096', '53x4096', '54x4096']);
  });

  it('by layers of the width that ran, below a wider one that failed', () => {
    const found = shapesBetween(shape(90, 4096), shape(25, 8192), { step: 2, sequenceLength: 2048 });
    expect(found.map(({ layers }) => layers)).toEqual([92, 94, 96, 98, 100]);
  });

  it('below the smallest size where nothing ran', () => {
    expect(shapesBelow(shape(4, 64), 1).map(({ name }) => name)).toEqual(['1x64', '2x64', '3x64']);
  });

  it('keeps heads and vocabulary of the size that ran, in the name too', () => {
    const tiny = { name: 'tiny', layers: 2, hidden: 64, heads: 4, paddedVocabulary: 512 };
    const found = shapesBetween(tiny, { ...tiny, layers: 4 }, { step: 1, sequenceLength: 128 });
    expect(found).toEqual([{ name: '3x64x4x512', layers: 3, hidden: 64, heads: 4, paddedVocabulary: 512 }]);
  });

  it('by tokens', () => {
    expect(doubledLengths(16384, 2 ** 20)).toEqual([16384, 32768, 65536, 131072, 262144, 524288, 1048576]);
    expect(lengthsBetween(65536, 131072, 16384)).toEqual([81920, 98304, 114688]);
    expect(lengthsBetween(100, 300, 64)).toEqual([128, 192, 256]);
    expect(lengthsBetween(128, 256, 128)).toEqual([]);
  });
});

describe('the predicted edge', () => {
  const needs = (gpu: readonly number[]) => gpu.map((gpuGiB) => ({ gpuGiB, hostGiB: 1 }));

  it('is the last that fits, and starts at whichever is nearer to the wall', () => {
    expect(predictedEdge(needs([10, 50, 90, 200]), { gpuGiB: 100, hostGiB: 8 })).toEqual({
      predicted: 2,
      startsAbove: false,
    });
    expect(predictedEdge(needs([10, 50, 70, 110]), { gpuGiB: 100, hostGiB: 8 })).toEqual({
      predicted: 2,
      startsAbove: true,
    });
  });

  it('is none where none fits, the last where all do or nothing is known', () => {
    expect(predictedEdge(needs([10, 50]), { gpuGiB: 100, hostGiB: 0.5 }).predicted).toBe(-1);
    expect(predictedEdge(needs([10, 50]), { gpuGiB: null, hostGiB: null }).predicted).toBe(1);
    expect(predictedEdge([], { gpuGiB: 1, hostGiB: 1 }).predicted).toBe(-1);
  });
});
