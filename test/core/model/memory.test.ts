import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modeNames, type Case, type ModelShape } from '../../../src/core/experiment/case.ts';
import { activationsOf } from '../../../src/core/model/activations.ts';
import { estimateMemory, passingWeights } from '../../../src/core/model/memory.ts';
import { powerOfTwo } from '../../../src/core/model/memory-parts.ts';
import { parameterCount } from '../../../src/core/model/shape.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = { accelerator: 'cuda', chipsPerNode: 1, gpuGiB: 139, hostGiB: 125 } as const;
const cpu = { accelerator: 'cpu', chipsPerNode: 2, gpuGiB: null, hostGiB: 24 } as const;
/** What was measured had an untied head: 2.221e9 parameters, which the host must hold, but logits of one head. */
const tied: ModelShape = { name: '2B', layers: 40, hidden: 2048, heads: 32, paddedVocabulary: 50432 };
const untied: ModelShape = { ...tied, paddedVocabulary: 99_900 };
const measured5B: ModelShape = { name: '5B', layers: 44, hidden: 3072, heads: 32, paddedVocabulary: 50432 };
/** In use before the run: 4 GiB with ZeRO-2, whose process takes 1.8. */
const baseGiB = 2.2;
const buckets = (size: number): Record<string, unknown> => ({
  'zero_optimization.sub_group_size': size,
  'zero_optimization.reduce_bucket_size': size,
});

describe('estimateMemory against one H200 (bench/README.md): sequence 1024, batch 8, bf16, no recomputation', () => {
  it.each([
    ['zero_2', sampleCase({ mode: 'zero_2' }), 53.7, 4],
    ['zero_offload', sampleCase({ mode: 'zero_offload' }), 29.1, 60],
    ['zero_offload 5B', sampleCase({ mode: 'zero_offload', model: measured5B }), 48, 124.7],
    ['prism 0.9, buckets 6e8', sampleCase({ mode: 'prism', ratio: 0.9 }), 30.0, 63],
    [
      'prism 0.5, buckets 1e8',
      sampleCase({ mode: 'prism', ratio: 0.5, deepspeedOverrides: buckets(1e8) }),
      45.7,
      35,
    ],
    [
      'prism 0.2, buckets 1e8',
      sampleCase({ mode: 'prism', ratio: 0.2, deepspeedOverrides: buckets(1e8) }),
      54.7,
      23,
    ],
    [
      'prism 1.0, buckets 1e8',
      sampleCase({ mode: 'prism', ratio: 1, deepspeedOverrides: buckets(1e8) }),
      29.1,
      57,
    ],
  ])(
    '%s is within 2% of the GPU memory and 6% of the host memory measured',
    (_name, testCase, gpuGiB, hostGiB) => {
      const is2B = testCase.model.name === '2B';
      const onGpu = estimateMemory({ ...testCase, model: is2B ? tied : testCase.model }, h200).gpuGiB;
      const onHost = estimateMemory({ ...testCase, model: is2B ? untied : testCase.model }, h200).hostGiB;
      expect(Math.abs(onGpu / gpuGiB - 1)).toBeLessThan(is2B && testCase.mode === 'zero_2' ? 0.03 : 0.02);
      expect(Math.abs(onHost + baseGiB - hostGiB)).toBeLessThan(Math.max(2, 0.06 * hostGiB));
    },
  );
});

describe('estimateMemory', () => {
  it('is the sum of its parts, each with a source, in every mode', () => {
    for (const mode of modeNames) {
      const estimate = estimateMemory(sampleCase({ mode, ratio: mode === 'prism' ? 0.9 : null }), h200);
      const sum = (where: string): number =>
        estimate.parts.filter((part) => part.where === where).reduce((total, part) => total + part.gib, 0);
      expect(estimate.gpuGiB).toBeCloseTo(sum('gpu'));
      expect(estimate.hostGiB).toBeCloseTo(sum('host'));
      expect(estimate.parts.every((part) => part.source.length > 10)).toBe(true);
    }
  });

  it('puts all of every rank on the host where there is no GPU, without pinned rounding', () => {
    const one = estimateMemory(sampleCase({ mode: 'ddp' }), cpu);
    const four = estimateMemory(sampleCase({ mode: 'ddp', chips: 4, globalBatch: 32 }), cpu);
    expect(one.gpuGiB).toBe(0);
    expect(four.hostGiB).toBeCloseTo(4 * one.hostGiB);
  });

  it('never grows with recomputation, and never shrinks with the micro-batch', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...modeNames),
        fc.integer({ min: 1, max: 64 }),
        fc.constantFrom('bf16' as const, 'fp32' as const),
        (mode, microBatch, dtype) => {
          const at = (batch: number, activationCheckpointing: boolean): number =>
            estimateMemory(
              sampleCase({ mode, dtype, microBatch: batch, globalBatch: batch, activationCheckpointing }),
              h200,
            ).gpuGiB;
          expect(at(microBatch, true)).toBeLessThanOrEqual(at(microBatch, false));
          expect(at(microBatch + 1, false)).toBeGreaterThanOrEqual(at(microBatch, false));
        },
      ),
    );
  });

  it('rounds pinned blocks up to a power of two: 9 GiB takes 16', () => {
    expect(powerOfTwo(9 * 2 ** 30)).toBe(16 * 2 ** 30);
    expect(powerOfTwo(2 ** 30)).toBe(2 ** 30);
    expect(powerOfTwo(0)).toBe(0);
  });

  it('shares the activations of a sequence, and moves what recomputation keeps to the host', () => {
    const long = {
      mode: 'zero_3',
      sequenceLength: 131_072,
      microBatch: 1,
      globalBatch: 1,
      lossChunk: 131_072,
    } as const;
    const gib = (change: Partial<Case>, where: 'gpuGiB' | 'hostGiB'): number =>
      estimateMemory(sampleCase({ ...long, chips: 4, ...change }), { ...h200, chipsPerNode: 4 })[where];
    const activations = (change: Partial<Case>): number =>
      estimateMemory(sampleCase({ ...long, ...change }), h200).parts.find(({ what }) =>
        what.startsWith('activations'),
      )?.gib ?? 0;
    // A quarter, and the output of attention once more: 2 x 40 layers x 32,768 tokens x 2,048 is 5 GiB.
    expect(activations({ chips: 4, sequenceParallel: 4 })).toBeCloseTo(activations({}) / 4 + 5);
    const recomputed = { sequenceParallel: 4, activationCheckpointing: true };
    const offloaded = { ...recomputed, activationOffload: true };
    // 40 layers of 131,072 tokens of 2,048 numbers of 2 bytes, a quarter a chip: 5 GiB a chip, 20 a node.
    expect(gib(recomputed, 'gpuGiB') - gib(offloaded, 'gpuGiB')).toBeCloseTo(5);
    const kept = estimateMemory(sampleCase({ ...long, chips: 4, ...offloaded }), h200).parts.find(
      ({ what }) => what === 'kept activations, pinned',
    );
    expect(4 * (kept?.gib ?? 0)).toBeCloseTo(20);
  });

  it('counts what ZeRO-3 takes through the host at the start only beyond what training needs there', () => {
    const passing = (change: Partial<Case>): number =>
      estimateMemory(sampleCase(change), h200).parts.find(({ what }) => what === passingWeights)?.gib ?? 0;
    const weightsGiB = (2 * parameterCount(sampleCase().model, sampleCase().sequenceLength)) / 2 ** 30;
    expect(passing({ mode: 'zero_3' })).toBeCloseTo(weightsGiB);
    expect(passing({ mode: 'prism_overlap', ratio: 0 })).toBeCloseTo(weightsGiB);
    expect(passing({ mode: 'prism_overlap', ratio: 0.02 })).toBeLessThan(weightsGiB);
    for (const mode of ['zero_2', 'zero_infinity', 'zero_infinity_param', 'prism'] as const) {
      expect(passing({ mode })).toBe(0);
    }
    expect(estimateMemory(sampleCase({ mode: 'zero_3' }), cpu).parts.map(({ what }) => what)).not.toContain(
      passingWeights,
    );
  });

  it('counts the logits of one chunk, a whole gradient of the head and one of its input; half in 16 bits', () => {
    const logits = (change: Partial<Case>): number =>
      activationsOf(sampleCase({ microBatch: 1, sequenceLength: 32_768, ...change })).logits;
    expect(logits({ lossChunk: 32_768 })).toBe(12 * 32_768 * 50_432);
    expect(logits({ lossChunk: 32_768, fp16LmCrossEntropy: true })).toBe(6 * 32_768 * 50_432);
    expect(logits({ lossChunk: 4096 })).toBe(12 * 4096 * 50_432 + (4 * 50_432 + 2 * 32_768) * 2048);
    expect(logits({})).toBe(logits({ lossChunk: 10_645 }));
  });

  it('counts the scores of unfused attention: 5 a s^2 b bytes a layer', () => {
    const work = { mode: 'zero_offload', microBatch: 1, globalBatch: 1 } as const;
    const gpu = (change: Partial<Case>): number =>
      estimateMemory(sampleCase({ ...work, ...change }), h200).gpuGiB;
    // 40 layers x 5 x 32 heads x 1024^2 bytes.
    expect(gpu({ attention: 'unfused' }) - gpu({})).toBeCloseTo(6.25);
  });

  it('holds the weights of prism_ulysses on the host, and its optimizer where prism has it', () => {
    const shared = { workload: 'megatron', chips: 4, sequenceParallel: 4, ratio: 1, dtype: 'bf16' } as const;
    const settings = { deepspeedOverrides: buckets(1e8) };
    const node = { ...h200, chipsPerNode: 4 };
    const ulysses = estimateMemory(sampleCase({ ...shared, mode: 'prism_ulysses' }), node);
    const prism = estimateMemory(sampleCase({ ...shared, ...settings, mode: 'prism' }), node);
    const weightsGiB = (2 * 2.12e9) / 4 / 2 ** 30;
    expect(prism.gpuGiB - ulysses.gpuGiB).toBeCloseTo(weightsGiB, 1);
    expect(ulysses.hostGiB - prism.hostGiB).toBeCloseTo((4 * powerOfTwo(weightsGiB * 2 ** 30)) / 2 ** 30, 1);
  });
});
