import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates } from '../../../bench/predict-figure13.ts';
import { namedSystem } from '../../../bench/predict-measured.ts';
import { smallestFittingRatio } from '../../../src/core/model/fitting-ratio.ts';
import { keptOnGpu, overlapSubgroups } from '../../../src/core/model/overlap-subgroups.ts';
import { predictFit } from '../../../src/core/model/predict.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = namedSystem('h200');
const models = candidates();
const large = models.find(({ name }) => name === '7B') ?? sampleCase().model;

describe('smallestFittingRatio', () => {
  it.each([
    ['prism_overlap', 2 ** 25],
    ['prism_overlap', 5e6],
    ['prism', 1e8],
  ] as const)('%s, subgroups of %d: it fits, and one subgroup more on the GPU does not', (mode, elements) => {
    const deepspeedOverrides = {
      'superoffload.subgroup_elements': elements,
      'zero_optimization.sub_group_size': elements,
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.integer({ min: 1, max: 16 }),
        fc.boolean(),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        (model, microBatch, activationCheckpointing, memoryMargin) => {
          const subject = sampleCase({
            ...{ mode, model, microBatch, globalBatch: microBatch, activationCheckpointing },
            deepspeedOverrides,
          });
          const roomy = { ...h200, hostGiB: 1e5, hostGiBPerChip: 1e5 };
          const needs = (ratio: number): number => predictFit({ ...subject, ratio }, roomy).gpuReservedGiB;
          const most = (1 - memoryMargin) * (roomy.gpuGiB ?? 0);
          const ratio = smallestFittingRatio(subject, roomy, { memoryMargin });
          if (ratio === null) {
            expect(needs(1)).toBeGreaterThan(most);
            return;
          }
          expect(needs(ratio)).toBeLessThanOrEqual(most);
          // The next smaller share that is another one: by bisection, with nothing of the cutting's own arithmetic.
          if (ratio === 0 || needs(0) === needs(ratio)) return;
          let [below, at] = [0, ratio];
          while (at - below > 1e-9) {
            const middle = (below + at) / 2;
            if (needs(middle) === needs(ratio)) at = middle;
            else below = middle;
          }
          expect(needs(below)).toBeGreaterThan(most);
        },
      ),
      {
        numRuns: 60,
        // 0.9 leaves 10 of 110 subgroups on the GPU, not 11: a share that no tenth stands for.
        examples: [[models.find(({ name }) => name === '30B') ?? large, 1, true, 0.163]],
      },
    );
  });

  it('is a decimal for a command line: the shortest that keeps those subgroups', () => {
    const subject = sampleCase({ mode: 'prism_overlap', model: large });
    const ratio = smallestFittingRatio(subject, h200, { memoryMargin: 0.05 }) ?? Number.NaN;
    const { sizes } = overlapSubgroups(large, { sequenceLength: 1024, chips: 1, subgroupElements: 2 ** 25 });
    const digits = String(ratio).split('.')[1]?.length ?? 0;
    expect(digits).toBeGreaterThan(0);
    expect(digits).toBeLessThanOrEqual(4);
    const shorter = Math.floor(ratio * 10 ** (digits - 1)) / 10 ** (digits - 1);
    expect(keptOnGpu(sizes, shorter)).not.toBe(keptOnGpu(sizes, ratio));
  });

  it('is 0 where all of the optimizer fits on the GPU, and null where nothing fits or no ratio is read', () => {
    const small = sampleCase({ mode: 'prism_overlap' });
    expect(smallestFittingRatio(small, h200, { memoryMargin: 0.05 })).toBe(0);
    expect(smallestFittingRatio(sampleCase(), h200, { memoryMargin: 0.05 })).toBeNull();
    const largest = models.at(-1) ?? large;
    expect(smallestFittingRatio({ ...small, model: largest }, h200, { memoryMargin: 0.05 })).toBeNull();
    // The GPU has room, what must stay on the host has not.
    const poor = { ...h200, hostGiB: 8, hostGiBPerChip: 8 };
    const tight = { ...small, model: large };
    expect(smallestFittingRatio(tight, poor, { memoryMargin: 0 })).toBeNull();
    expect(smallestFittingRatio(tight, h200, { memoryMargin: 0 })).not.toBeNull();
  });
});
