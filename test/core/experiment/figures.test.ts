import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataFolders, readExperiment, readModels } from '../../../src/adapters/experiment-data.ts';
import type { System } from '../../../src/core/experiment/case.ts';
import { expandExperiment, expandGrid } from '../../../src/core/experiment/grid.ts';
import type { GridFlags } from '../../../src/core/experiment/grid-flags.ts';
import { parameterCount } from '../../../src/core/model/shape.ts';
import { sampleSystem } from '../sample-plan.ts';

const root = new URL('../../../', import.meta.url).pathname;
const folders = dataFolders({ cwd: '/nonexistent', packageRoot: root });
const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
const figures = JSON.parse(readFileSync(`${root}/experiment/paper/figures.json`, 'utf8')) as {
  readonly figure10: Panel;
  readonly figure11: { readonly panels: readonly Panel[] };
  readonly figure12: {
    readonly panels: readonly {
      readonly chips: number;
      readonly model: string;
      readonly sequenceLengths: readonly string[];
    }[];
  };
  readonly figure13: {
    readonly chips: readonly number[];
    readonly series: Readonly<Record<string, unknown>>;
  };
};
interface Panel {
  readonly chips: number;
  readonly globalBatch: number;
  readonly models: readonly string[];
  readonly series: Readonly<Record<string, unknown>>;
}
/** A machine that holds everything: what is left is the figure. */
const boundless = sampleSystem({ gpuGiB: null, hostGiB: null, hostGiBPerChip: null });
const all = (name: string, flags: GridFlags = {}, system: System = boundless) =>
  expandExperiment(readExperiment(name, folders), models, system, flags);

/** Its names for what is a mode here; FSDP and Megatron's tensor parallelism are none. */
const modeOf: Readonly<Record<string, string>> = {
  'PyTorch DDP': 'ddp',
  'ZeRO-2': 'zero_2',
  'ZeRO-3': 'zero_3',
  zero_infinity: 'zero_infinity',
  zero_offload: 'zero_offload',
  prism: 'prism',
};

describe('the experiment files against the paper', () => {
  it.each([figures.figure10, ...figures.figure11.panels])('throughput on $chips chips', (panel) => {
    const { cases } = all('throughput', { chips: panel.chips });
    expect([...new Set(cases.map(({ model }) => model.name))]).toEqual(panel.models);
    expect(new Set(cases.map(({ globalBatch }) => globalBatch))).toEqual(new Set([panel.globalBatch]));
    const drawn = Object.keys(panel.series).flatMap((name) => modeOf[name] ?? []);
    expect(cases.map(({ mode }) => mode)).toEqual(expect.arrayContaining(drawn));
  });

  it('throughput as a whole: every panel of figures 10 and 11', () => {
    const { cases, faults } = all('throughput');
    expect(faults).toEqual([]);
    expect([...new Set(cases.map(({ chips }) => chips))]).toEqual([1, 4, 16]);
    expect(new Set(cases.map((subject) => JSON.stringify(subject))).size).toBe(cases.length);
  });

  it('sequence length: every bar of figure 12, all chips sharing each sequence', () => {
    const { cases, faults } = all('sequence_length', { workload: 'megatron' });
    expect(faults).toEqual([]);
    for (const { chips, model, sequenceLengths } of figures.figure12.panels) {
      const found = cases.filter((subject) => subject.chips === chips && subject.model.name === model);
      expect(new Set(found.map(({ mode }) => mode))).toEqual(new Set(['prism_ulysses', 'ulysses']));
      expect(found.every((subject) => subject.sequenceParallel === chips && subject.globalBatch === 1)).toBe(
        true,
      );
      expect(found.map(({ sequenceLength }) => sequenceLength)).toEqual(
        expect.arrayContaining(sequenceLengths.map(tokens)),
      );
    }
  });

  it('model size: every bar of figure 13, one sequence a chip, sizes in the order of parameters', () => {
    const { chips, series } = figures.figure13;
    for (const count of chips) {
      const { cases } = all('model_size', { chips: count });
      expect(cases.every((subject) => subject.microBatch === 1 && subject.gradientAccumulation === 1)).toBe(
        true,
      );
      const drawn = Object.keys(series).flatMap((name) => modeOf[name] ?? []);
      expect(new Set(cases.map(({ mode }) => mode))).toEqual(new Set(drawn));
      const sizes = cases.map(({ model, sequenceLength }) => parameterCount(model, sequenceLength));
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    }
  });

  it.each(['throughput', 'model_size', 'sequence_length'])(
    '%s has cases on a machine without a GPU',
    (name) => {
      const cpu = sampleSystem({ accelerator: 'cpu', gpuGiB: null, hostGiB: 24, chipsPerNode: 2 });
      const { cases, skipped, faults } = all(name, { chips: 2, workload: 'megatron' }, cpu);
      expect(faults).toEqual([]);
      expect(cases.length).toBeGreaterThan(0);
      expect(skipped.every(({ kind }) => kind === 'needs-cuda')).toBe(true);
    },
  );
});

/** `500K` is 512K here; M and K are binary. */
function tokens(text: string): number {
  const count = Number(text.slice(0, -1)) * (text.endsWith('M') ? 1024 : 1) * 1024;
  return count === 500 * 1024 ? 512 * 1024 : count;
}

describe('expandGrid', () => {
  const grid = (flags: GridFlags, system: System = boundless) =>
    expandGrid(readExperiment('throughput', folders), models, system, flags);

  it('takes a size by its numbers', () => {
    const shapes = grid({ models: ['68x4096', '6x64x4x512'], modes: ['ddp'] }).cases.map(
      ({ model }) => model,
    );
    expect(shapes).toEqual([
      { name: '68x4096', layers: 68, hidden: 4096, heads: 32, paddedVocabulary: 50432 },
      { name: '6x64x4x512', layers: 6, hidden: 64, heads: 4, paddedVocabulary: 512 },
    ]);
  });

  it('refuses lengths of a size that the entry does not have', () => {
    const file = readExperiment('sequence_length', folders);
    const [entry] = Object.values(file.cuda.byChips);
    if (entry === undefined) throw new Error('the experiment has entries');
    const wrong = {
      ...file.cuda,
      byChips: { 4: { ...entry, models: ['2B'], sequenceLengths: { '3B': [1] } } },
    };
    const { faults } = expandGrid({ ...file, cuda: wrong }, models, boundless, { chips: 4 });
    expect(faults.map(({ place }) => place)).toEqual([
      'experiment sequence_length /byChips/4/sequenceLengths/3B',
    ]);
  });

  it('refuses numbers that no model has', () => {
    expect(grid({ models: ['68x4095', '0x64', '68x'] }).faults.map(({ problem }) => problem)).toEqual([
      '4095 is not divisible by 32 heads',
      'there is no size "0x64"',
      'there is no size "68x"',
    ]);
  });

  it('names the sizes on both sides of a number of parameters that none has', () => {
    const expected = (name: string): string | undefined => grid({ models: [name] }).faults[0]?.expected;
    expect(expected('9B')).toBe('8B, 10B, or any LAYERSxHIDDEN, such as 50x4096');
    expect(expected('9.5b')).toBe('8B, 10B, or any LAYERSxHIDDEN, such as 50x4096');
    expect(expected('100M')).toMatch(/^tiny-23M, 1B, or any/);
    expect(expected('2Bb')).toBe('2B');
  });

  it('leaves out what does not fit even in the smallest batch, under the rule, and at once without it', () => {
    const flags: GridFlags = { modes: ['zero_offload'] };
    const small = sampleSystem({ gpuGiB: 40, hostGiB: 2000 });
    const under = grid(flags, small).cases.map(({ model }) => model.name);
    const without = grid({ ...flags, batchRule: false }, small).cases.map(({ model }) => model.name);
    expect(under.length).toBeGreaterThan(without.length);
    expect(under).toEqual(expect.arrayContaining(without));
  });

  it('recomputes nothing that is then moved to the host: an experiment yields, a flag does not', () => {
    const section = readExperiment('sequence_length', folders);
    const flags: GridFlags = { chips: 4, workload: 'megatron', activationCheckpointing: false };
    const offloads = expandGrid(section, models, boundless, flags).cases.map(
      (subject) => subject.activationOffload,
    );
    expect(new Set(offloads)).toEqual(new Set([false]));
    expect(
      expandGrid(section, models, boundless, { ...flags, activationOffload: true }).faults.length,
    ).toBeGreaterThan(0);
  });
});
