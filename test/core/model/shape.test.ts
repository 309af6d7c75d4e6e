import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelShape } from '../../../src/core/experiment/case.ts';
import {
  mfu,
  padVocabulary,
  parameterCount,
  tflopsPerGpu,
  trainingFlops,
} from '../../../src/core/model/shape.ts';

const twoB: ModelShape = { name: '2B', layers: 40, hidden: 2048, heads: 32, paddedVocabulary: 50432 };

/** Every weight of a Megatron GPT written out one by one: the closed formula must agree. */
function countTensors({ layers, hidden: h, paddedVocabulary }: ModelShape, sequenceLength: number): number {
  const layerNorm = h + h;
  const qkv = h * 3 * h + 3 * h;
  const projection = h * h + h;
  const up = h * 4 * h + 4 * h;
  const down = 4 * h * h + h;
  return (
    paddedVocabulary * h +
    sequenceLength * h +
    layers * (2 * layerNorm + qkv + projection + up + down) +
    layerNorm
  );
}

describe('parameterCount', () => {
  it("is Megatron's 2B: 2.120e9", () => {
    expect(parameterCount(twoB, 1024)).toBe(2_119_716_864);
  });

  it('equals the sum over every tensor', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 16384 }),
        fc.integer({ min: 2, max: 60000 }),
        fc.integer({ min: 1, max: 100_000 }),
        (layers, hidden, paddedVocabulary, sequenceLength) => {
          const shape = { name: 'x', layers, hidden, heads: 1, paddedVocabulary };
          expect(parameterCount(shape, sequenceLength)).toBe(countTensors(shape, sequenceLength));
        },
      ),
    );
  });

  it('pads the vocabulary up to a multiple', () => {
    expect(padVocabulary(50257, 256)).toBe(50432);
    expect(padVocabulary(512, 256)).toBe(512);
  });
});

describe('tflopsPerGpu', () => {
  const step = { shape: twoB, globalBatch: 8, sequenceLength: 1024, chips: 1 };

  it('gives what a published log shows: 1.46 s a step with recomputation is 102 hardware, 76 model TFLOPS', () => {
    const { modelTflops, hardwareTflops, formula } = tflopsPerGpu({ ...step, stepMs: 1460, recompute: true });
    expect(hardwareTflops).toBeCloseTo(102.5, 0);
    expect(modelTflops).toBeCloseTo(76.9, 0);
    expect(formula).toBe('megatron-full-attention');
  });

  it('counts no recomputation where there is none', () => {
    const { modelTflops, hardwareTflops } = tflopsPerGpu({ ...step, stepMs: 1270, recompute: false });
    expect(hardwareTflops).toBe(modelTflops);
    expect(modelTflops).toBeCloseTo(88.4, 0);
  });

  it('is near the 6 P D rule of thumb plus attention', () => {
    const tokens = 8 * 1024;
    const attention = 12 * twoB.layers * twoB.hidden * 1024 * tokens;
    const rule = 6 * parameterCount(twoB, 1024) * tokens + attention;
    expect(trainingFlops({ ...step, recompute: false }) / rule).toBeCloseTo(1, 2);
  });

  it('divides by the chips and has no MFU without a peak', () => {
    const one = tflopsPerGpu({ ...step, stepMs: 1000, recompute: false }).modelTflops;
    const four = tflopsPerGpu({ ...step, chips: 4, stepMs: 1000, recompute: false }).modelTflops;
    expect(one / four).toBeCloseTo(4);
    expect(mfu(494.5, 989)).toBeCloseTo(0.5);
    expect(mfu(100, null)).toBeNull();
  });
});
