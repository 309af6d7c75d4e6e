import { describe, expect, it } from 'vitest';
import { buildConfig } from '../../../src/core/deepspeed/build-config.ts';
import { modesOfConfig } from '../../../src/core/deepspeed/mode-of-config.ts';
import { completeConfig, labelFaults, mergeConfigFlags } from '../../../src/core/deepspeed/read-config.ts';
import type { ModeName } from '../../../src/core/experiment/case.ts';
import type { GridFlags } from '../../../src/core/experiment/grid-flags.ts';
import { goldenCases } from './golden-cases.ts';

const zero = (stage: number, more: object = {}) => ({ zero_optimization: { stage, ...more } });
const cpu = { device: 'cpu' };

const key = { superOffload: 'key', sequenceParallel: 1 } as const;

describe('modesOfConfig', () => {
  it.each([
    [{}, 'ddp'],
    [zero(0), 'ddp'],
    [zero(2), 'zero_2'],
    [zero(2, { offload_optimizer: cpu }), 'zero_offload'],
    [zero(3), 'zero_3'],
    [zero(3, { offload_optimizer: cpu }), 'zero_infinity'],
    [zero(3, { offload_optimizer: cpu, offload_param: cpu }), 'zero_infinity_param'],
    [zero(3, { offload_optimizer: { ...cpu, super_offload: true } }), 'prism'],
    [zero(1), undefined],
    [zero(3, { offload_optimizer: { device: 'nvme' } }), undefined],
    [zero(3, { offload_optimizer: cpu, offload_param: { device: 'nvme' } }), undefined],
    [zero(2, { offload_optimizer: cpu, zenflow: {} }), undefined],
    [zero(3, { offload_param: cpu }), undefined],
    [zero(3, { offload_optimizer: { device: 'none' } }), 'zero_3'],
    [{ zero_optimization: { stage: 3, cpu_offload: true } }, 'zero_infinity'],
  ])('%j is %s', (config, mode) => {
    expect(modesOfConfig(config, key)[0]).toBe(mode);
  });

  it('calls the same offloading by its name of Ulysses where ranks share sequences', () => {
    const both = zero(3, { offload_optimizer: { ...cpu, super_offload: true }, offload_param: cpu });
    expect(modesOfConfig(both, key)).toEqual(['prism', 'prism_ulysses']);
    expect(modesOfConfig(both, { ...key, sequenceParallel: 2 })).toEqual(['prism_ulysses', 'prism']);
    expect(modesOfConfig(zero(3), { ...key, sequenceParallel: 2 })).toEqual(['ulysses', 'zero_3']);
    expect(modesOfConfig(zero(2), { ...key, sequenceParallel: 2 })).toEqual(['zero_2']);
  });

  it('is prism_overlap wherever the section asks for that optimizer, whatever else the JSON asks for', () => {
    const own = { superoffload: { optimizer: 'overlap' } };
    expect(modesOfConfig({ ...zero(3, { offload_optimizer: cpu }), ...own }, key)).toEqual(['prism_overlap']);
    const both = { ...zero(3, { offload_optimizer: { ...cpu, super_offload: true } }), ...own };
    expect(modesOfConfig(both, key)).toEqual(['prism_overlap']);
    expect(modesOfConfig({ ...zero(2, { offload_optimizer: cpu }), ...own }, key)).toEqual(['zero_offload']);
    const other = { superoffload: { optimizer: 'published' } };
    expect(modesOfConfig({ ...zero(3, { offload_optimizer: cpu }), ...other }, key)).toEqual([
      'zero_infinity',
    ]);
  });

  it("takes the artifact's JSON for what it is on the paper's branch, and for plain ZeRO-3 elsewhere", () => {
    const published = zero(3, { offload_optimizer: { ...cpu, ratio: 0.9 } });
    expect(modesOfConfig(published, key)).toEqual(['zero_infinity']);
    const branch = { superOffload: 'implied', sequenceParallel: 1 } as const;
    expect(modesOfConfig(published, branch)).toEqual(['prism']);
    expect(modesOfConfig(zero(3, { offload_optimizer: cpu }), branch)).toEqual(['zero_infinity']);
    expect(modesOfConfig(zero(2, { offload_optimizer: cpu }), branch)).toEqual(['zero_offload']);
  });

  it('finds the mode of every JSON that this tool writes', () => {
    for (const { case: testCase } of goldenCases()) {
      const { chips, mode, sequenceParallel, workload } = testCase;
      for (const superOffload of ['key', 'implied'] as const) {
        const config = buildConfig(testCase, { deepspeedVersion: '0.19.8', superOffload });
        expect(modesOfConfig(config, { superOffload, sequenceParallel })[0]).toBe(mode);
        const merged = mergeConfigFlags(config, { chips, sequenceParallel, workload }, 'f', superOffload);
        expect(merged.faults).toEqual([]);
      }
    }
  });
});

describe('mergeConfigFlags', () => {
  const merge = (config: object, flags: GridFlags = {}) =>
    mergeConfigFlags(config as Record<string, unknown>, flags, 'my.json', 'key');

  it('reads what flags would say', () => {
    const config = {
      train_micro_batch_size_per_gpu: 2,
      train_batch_size: 8,
      gradient_clipping: 1,
      fp16: { enabled: true },
      ...zero(3, { offload_optimizer: { ...cpu, super_offload: true, ratio: 0.5 } }),
    };
    expect(merge(config)).toEqual({
      flags: {
        microBatch: 2,
        globalBatch: 8,
        gradientClipping: 1,
        dtype: 'fp16',
        ratio: 0.5,
        modes: ['prism'],
      },
      faults: [],
    });
  });

  it('is fp32 where neither half type is on, and leaves "auto" to the flags', () => {
    expect(merge({ bf16: { enabled: false } }).flags.dtype).toBe('fp32');
    expect(merge({ train_batch_size: 'auto', gradient_clipping: 'auto' }, { globalBatch: 4 })).toMatchObject({
      flags: { globalBatch: 4 },
      faults: [],
    });
  });

  it.each<[object, GridFlags, string]>([
    [
      { train_batch_size: 8 },
      { globalBatch: 4 },
      'my.json /train_batch_size: 8 disagrees with --global-batch 4',
    ],
    [{ train_micro_batch_size_per_gpu: 8 }, { microBatch: 4 }, '/train_micro_batch_size_per_gpu: 8 disagrees with --micro-batch 4'], // prettier-ignore
    [{ bf16: { enabled: true } }, { dtype: 'fp16' }, '/bf16: bf16 disagrees with --dtype fp16'],
    [
      zero(3, { offload_optimizer: { ...cpu, ratio: 0.9 } }),
      { ratio: 0.5 },
      '/ratio: 0.9 disagrees with --ratio 0.5',
    ],
    [zero(1), {}, 'my.json /zero_optimization: is of no known mode'],
    [{ gradient_accumulation_steps: 4 }, {}, '/gradient_accumulation_steps: 4 alone decides no batch'],
    [
      { gradient_accumulation_steps: 3, train_batch_size: 8, train_micro_batch_size_per_gpu: 2 },
      {},
      '/gradient_accumulation_steps: 3 does not fit: 2 x 3 x 1 chips is not the batch 8',
    ],
    [{ gradient_accumulation_steps: 3, train_batch_size: 8 }, {}, '3 does not fit: any micro-batch x 3 x 1 chips is not the batch 8'], // prettier-ignore
  ])('%j with %j: %s', (config, flags, message) => {
    const { faults } = merge(config, flags);
    expect(faults.map(({ place, problem }) => `${place}: ${problem}`).join('\n')).toContain(message);
  });

  it('never loses the accumulation of the file, which no flag can say', () => {
    const micro = { gradient_accumulation_steps: 4, train_micro_batch_size_per_gpu: 2 };
    expect(merge(micro, { chips: 3 }).flags).toMatchObject({ microBatch: 2, globalBatch: 24 });
    const global = { gradient_accumulation_steps: 4, train_batch_size: 16 };
    expect(merge(global, { chips: 2 }).flags).toMatchObject({ microBatch: 2, globalBatch: 16 });
  });

  it('lets no flag call the file what it is not', () => {
    const said = (config: object, modes: string[]): string[] =>
      merge(config, { modes }).faults.map(({ problem }) => problem);
    const prism = zero(3, { offload_optimizer: { ...cpu, super_offload: true } });
    expect(said(prism, ['zero_infinity'])).toEqual(['prism disagrees with --mode zero_infinity']);
    expect(said(zero(2), ['zero_2', 'zero_3'])).toEqual(['zero_2 disagrees with --mode zero_3']);
    expect(said(zero(1), ['zero_2'])).toEqual(['is of no known mode']);
    expect(said(prism, ['superoffload'])).toEqual([]);
    expect(merge(prism, { modes: ['zero_infinity'] }).flags.modes).toEqual(['prism']);
  });

  it("takes DeepSpeed's own ratio where a SuperOffload file says none", () => {
    const prism = zero(3, { offload_optimizer: { ...cpu, super_offload: true } });
    expect(merge(prism).flags.ratio).toBe(1);
    expect(merge(prism, { ratio: 0.5 }).faults[0]?.problem).toBe('1 disagrees with --ratio 0.5');
    expect(merge(zero(3, { offload_optimizer: cpu })).flags).not.toHaveProperty('ratio');
  });

  it('refuses what the trainer brings itself', () => {
    const config = { optimizer: { type: 'AdamW' }, scheduler: { type: 'WarmupLR' }, ...zero(2) };
    expect(merge(config).faults.map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      'my.json /optimizer: the built-in trainer has its own optimizer',
      'my.json /scheduler: the built-in trainer has its own scheduler',
    ]);
  });

  it('finds every fault at once', () => {
    const config = { train_batch_size: 8, bf16: { enabled: true }, ...zero(1) };
    expect(merge(config, { globalBatch: 4, dtype: 'fp32' }).faults).toHaveLength(3);
  });
});

describe('completeConfig', () => {
  it('keeps the user JSON, says the clipping aloud, and takes the batch of the case', () => {
    const built = {
      train_batch_size: 16,
      train_micro_batch_size_per_gpu: 4,
      gradient_accumulation_steps: 4,
      gradient_clipping: 0,
      zero_optimization: { stage: 2 },
    };
    expect(completeConfig({ train_batch_size: 'auto', zero_optimization: { stage: 3 } }, built)).toEqual({
      ...built,
      zero_optimization: { stage: 3 },
    });
  });

  it('takes the clipping of the case, which is the file, a flag or 0, and leaves what is none to the check', () => {
    const built = { gradient_clipping: 0.5 };
    const clipping = (value: unknown): unknown =>
      completeConfig({ gradient_clipping: value }, built)['gradient_clipping'];
    expect([1, 'auto', null, 'high'].map(clipping)).toEqual([0.5, 0.5, 0.5, 'high']);
  });
});

describe('labelFaults', () => {
  const labels = (config: object, mode: ModeName, ratio: number | null = null): string[] =>
    labelFaults(config as Record<string, unknown>, { mode, ratio }, key).map(({ problem }) => problem);
  const prism = zero(3, { offload_optimizer: { ...cpu, super_offload: true, ratio: 0.9 } });

  it('finds a row that would be called by another mode or ratio than DeepSpeed runs', () => {
    expect(labels(prism, 'zero_infinity')).toEqual(['makes prism of zero_infinity']);
    expect(labels(zero(2), 'zero_offload')).toEqual(['makes zero_2 of zero_offload']);
    expect(labels(prism, 'prism', 0.5)).toEqual(['sets the ratio to 0.9']);
  });

  it('leaves the rest', () => {
    expect(labels(prism, 'prism', 0.9)).toEqual([]);
    const nvme = zero(3, { offload_optimizer: cpu, offload_param: { device: 'nvme' } });
    expect(labels(nvme, 'zero_infinity_param')).toEqual([]);
  });
});
