import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataFolders, readExperiment, readModels } from '../../../src/adapters/experiment-data.ts';
import type { System } from '../../../src/core/experiment/case.ts';
import { expandGrid } from '../../../src/core/experiment/grid.ts';
import type { GridFlags } from '../../../src/core/experiment/grid-flags.ts';
import { sampleSystem } from '../sample-plan.ts';

const folders = dataFolders({
  cwd: '/nonexistent',
  packageRoot: new URL('../../../', import.meta.url).pathname,
});
const experiment = readExperiment('throughput', folders);
const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
const cpu = sampleSystem({
  name: 'local',
  accelerator: 'cpu',
  link: 'none',
  chipsPerNode: 2,
  gpuName: null,
  gpuGiB: null,
  hostGiB: 24,
  peakTflops: null,
  cores: 2,
});
const h200 = sampleSystem();
const grid = (system: System, flags: GridFlags = {}): ReturnType<typeof expandGrid> =>
  expandGrid(experiment, models, system, flags);
const names = (cases: readonly { model: { name: string }; mode: string }[]): string[] =>
  cases.map((testCase) => `${testCase.model.name} ${testCase.mode}`);

describe('expandGrid with --chips alone', () => {
  it('on a CPU machine: tiny sizes, CPU modes, prism as a row that says why not', () => {
    const { cases, skipped, faults } = grid(cpu, { chips: 4 });
    expect(faults).toEqual([]);
    expect(names(cases)).toEqual([
      'tiny prism_overlap',
      'tiny zero_offload',
      'tiny zero_infinity',
      'tiny-1M prism_overlap',
      'tiny-1M zero_offload',
      'tiny-1M zero_infinity',
    ]);
    expect(cases.every((testCase) => testCase.chips === 4 && testCase.globalBatch === 16)).toBe(true);
    expect(skipped.map(({ case: { mode }, kind, askedFor }) => [mode, kind, askedFor])).toEqual([
      ['prism', 'needs-cuda', false],
      ['prism', 'needs-cuda', false],
    ]);
  });

  it('on one H200: the sizes that its memory holds, in the modes of the figure', () => {
    const { cases, skipped } = grid(h200, { chips: 1 });
    expect(names(cases)).toEqual(expect.arrayContaining(['2B prism', '2B zero_offload', '2B zero_infinity']));
    expect(names(cases)).not.toContain('10B zero_offload');
    expect(skipped.every(({ kind, reason }) => kind === 'memory' && reason.startsWith('needs about'))).toBe(
      true,
    );
    expect(cases.length + skipped.length).toBe(4 * 7);
  });

  it('compares with one batch, clipping, precision and recomputation', () => {
    const { cases } = grid(h200, { chips: 1 });
    const conditions = cases.map((testCase) =>
      JSON.stringify([
        testCase.globalBatch,
        testCase.gradientClipping,
        testCase.dtype,
        testCase.activationCheckpointing,
      ]),
    );
    expect(new Set(conditions).size).toBe(1);
  });

  it("follows the paper's batches: 8, 16, 128; between them as much a chip as below", () => {
    const batchOf = (chips: number): number | undefined =>
      grid({ ...h200, hostGiB: null, gpuGiB: null }, { chips }).cases[0]?.globalBatch;
    expect([1, 2, 4, 8, 16, 32].map(batchOf)).toEqual([8, 16, 16, 32, 128, 256]);
  });
});

describe('expandGrid with flags', () => {
  it('takes aliases once, and a size that was asked for even where memory looks short', () => {
    const { cases } = grid(h200, { modes: ['superoffload', 'prism'], models: ['25B'], ratio: 0.5 });
    expect(cases).toHaveLength(1);
    expect(cases[0]).toMatchObject({ mode: 'prism', ratio: 0.5, model: { name: '25B' } });
  });

  it('marks a CUDA mode that was asked for by name', () => {
    const { cases, skipped } = grid(cpu, { modes: ['superoffload'] });
    expect(cases).toEqual([]);
    expect(skipped[0]).toMatchObject({ kind: 'needs-cuda', askedFor: true });
  });

  it('gives a ratio only to the modes that read it', () => {
    const { cases } = grid(h200, { models: ['2B'], ratio: 0.2 });
    expect(cases.map(({ mode, ratio }) => [mode, ratio])).toEqual([
      ['prism', 0.2],
      ['zero_offload', null],
      ['zero_infinity', null],
      ['ddp', null],
    ]);
  });

  it('makes --ds gradient_clipping the clipping of every case', () => {
    const { cases } = grid(cpu, { deepspeedOverrides: ['gradient_clipping=1.0', 'dump_state=true'] });
    expect(cases.every((testCase) => testCase.gradientClipping === 1)).toBe(true);
    expect(cases[0]?.deepspeedOverrides).toEqual({ dump_state: true });
  });

  it('reports all faults at once, and no cases', () => {
    const result = grid(cpu, {
      chips: 4,
      modes: ['zero_ofload', 'ddp'],
      models: ['tiny-1m', 'huge'],
      microBatch: 3,
      globalBatch: 16,
      deepspeedOverrides: ['nonsense', 'train_batch_size=3'],
    });
    expect(result.cases).toEqual([]);
    expect(result.faults.map(({ place, expected }) => `${place}: ${expected ?? ''}`)).toEqual([
      expect.stringContaining('--mode: prism (or superoffload), prism_overlap, zero_offload'),
      '--model: tiny-1M',
      '--model: a size of `superoffload models`',
      '--ds nonsense: for example zero_optimization.sub_group_size=100000000',
      '--ds train_batch_size=3: --global-batch',
      '--global-batch: a multiple of 12, for example 12 or 24',
    ]);
  });

  it('refuses prism in fp16 without clipping once, whatever the number of sizes', () => {
    expect(grid(h200, { dtype: 'fp16' }).faults).toHaveLength(1);
    expect(grid(h200, { dtype: 'fp16', allowUnsafe: true }).faults).toEqual([]);
  });

  it('never makes a case whose batch DeepSpeed would refuse', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.option(fc.integer({ min: 1, max: 16 }), { nil: undefined }),
        fc.option(fc.integer({ min: 1, max: 256 }), { nil: undefined }),
        (chips, microBatch, globalBatch) => {
          const { cases, skipped, faults } = grid(cpu, {
            chips,
            ...(microBatch === undefined ? {} : { microBatch }),
            ...(globalBatch === undefined ? {} : { globalBatch }),
          });
          expect(cases.length + skipped.length > 0).toBe(faults.length === 0);
          for (const item of cases) {
            expect(item.globalBatch).toBe(item.microBatch * item.gradientAccumulation * chips);
          }
        },
      ),
    );
  });
});
