import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readExperiment, readModels, readSystems } from '../../src/adapters/experiment-data.ts';
import { expandExperiment } from '../../src/core/experiment/grid.ts';
import { resolveSystem } from '../../src/core/experiment/system.ts';
import { predictDurationMs } from '../../src/core/model/duration.ts';

const root = join(import.meta.dirname, '../..');
const data = [join(root, 'experiment')];
const folder = join(root, 'bench/campaigns');
const models = Object.fromEntries(readModels(data).map(({ shape }) => [shape.name, shape]));
const catalog = readSystems(data);
const h200 = catalog.find(({ name }) => name === 'h200')!;
const probed = {
  accelerator: 'cuda',
  gpuName: 'H200',
  gpuGiB: 139,
  gpuCount: 1,
  hostNumaNodes: null,
} as const;
const one = resolveSystem(h200, { ...probed, hostGiB: 125, cores: 16 }, catalog);
/** The machine with two of them: twice the host. */
const two = { ...one, chipsPerNode: 2, cores: 32, hostGiB: 251 };
const cpu = {
  ...one,
  accelerator: 'cpu',
  gpuName: null,
  gpuGiB: null,
  hostGiB: 24,
  hostGiBPerChip: 24,
} as const;

/** How often a file is run in one call. */
const repeats: Readonly<Record<string, number>> = { overlap_2b: 3 };
/** One command on the GPU machine, less its start and installation. */
const callMs = 9 * 60_000;

describe.each(readdirSync(folder).sort())('bench/campaigns/%s', (file) => {
  const experiment = readExperiment(join(folder, file), data);
  const chips = Number(Object.keys(experiment.cuda.byChips)[0]);
  const grid = expandExperiment(experiment, models, chips === 2 ? two : one);

  it('is called as its file, and each of its rows fits the machine that it is for', () => {
    expect(`${experiment.name}.json`).toBe(file);
    expect([grid.faults, grid.skipped]).toEqual([[], []]);
    expect(grid.cases.length).toBeGreaterThan(2);
  });

  it('has the case that every call repeats, 2B with zero_offload as published', () => {
    const anchors = grid.cases.filter(
      ({ model, mode, sequenceLength, gradientClipping, deepspeedOverrides }) =>
        model.name === '2B' &&
        mode === 'zero_offload' &&
        sequenceLength === 1024 &&
        gradientClipping === 0 &&
        Object.keys(deepspeedOverrides).length === 0,
    );
    expect(anchors).toHaveLength(1);
  });

  it('ends within one call, by what the tool expects of it', () => {
    const system = chips === 2 ? two : one;
    const each = grid.cases.map((subject) => predictDurationMs(subject, system, subject.steps));
    const sum =
      each.reduce<number>((before, ms) => before + (ms ?? Number.NaN), 0) * (repeats[experiment.name] ?? 1);
    expect(sum).toBeLessThan(callMs);
    expect(sum).toBeGreaterThan(60_000);
  });

  it('can be tried out on a CPU', () => {
    const small = expandExperiment(experiment, models, cpu);
    expect([small.faults, small.cases.length]).toEqual([[], 2]);
  });
});
