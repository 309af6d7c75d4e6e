import { describe, expect, it } from 'vitest';
import { dataFolders, readExperiment, readModels } from '../../../src/adapters/experiment-data.ts';
import type { ExperimentRow } from '../../../src/core/experiment/experiment-file.schema.ts';
import { expandGrid } from '../../../src/core/experiment/grid.ts';
import type { GridFlags } from '../../../src/core/experiment/grid-flags.ts';
import { sampleSystem } from '../sample-plan.ts';

const folders = dataFolders({
  cwd: '/nonexistent',
  packageRoot: new URL('../../../', import.meta.url).pathname,
});
const experiment = readExperiment('throughput', folders);
const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
const cpu = sampleSystem({ accelerator: 'cpu', gpuName: null, gpuGiB: null, peakTflops: null });
const names = (cases: readonly { model: { name: string }; mode: string }[]): string[] =>
  cases.map((testCase) => `${testCase.model.name} ${testCase.mode}`);

describe('an experiment with rows', () => {
  const rows = [
    { title: 'plain', mode: 'zero_offload' },
    { title: 'all on the CPU', group: 'a', mode: 'prism_overlap' },
    { title: 'the same again', group: 'b', mode: 'prism_overlap' },
    { title: 'a tenth on the GPU', mode: 'prism_overlap', ratio: 0.9, steps: 9, models: ['tiny'] },
    { title: 'longer', mode: 'prism_overlap', sequenceLength: 256, globalBatch: 4, microBatch: 2 },
    { title: 'waits', mode: 'prism_overlap', deepspeed: { 'superoffload.speculation': 0 } },
  ] satisfies ExperimentRow[];
  const section = { ...experiment.cpu, rows };
  const withRows = (
    change: { readonly rows?: ExperimentRow[] } = {},
    flags: GridFlags = {},
  ): ReturnType<typeof expandGrid> =>
    expandGrid({ ...experiment, name: 'own', cpu: { ...section, ...change } }, models, cpu, flags);

  it('runs each size as each row says, equal rows once', () => {
    const { cases, faults } = withRows();
    expect(faults).toEqual([]);
    expect(
      cases.map(
        ({ model, mode, ratio, steps, sequenceLength, microBatch, globalBatch, deepspeedOverrides }) =>
          [
            model.name,
            mode,
            ratio,
            steps,
            sequenceLength,
            `${microBatch}/${globalBatch}`,
            JSON.stringify(deepspeedOverrides),
          ].join(' '),
      ),
    ).toEqual([
      'tiny zero_offload  40 128 8/8 {}',
      'tiny prism_overlap 1 40 128 8/8 {}',
      'tiny prism_overlap 0.9 9 128 8/8 {}',
      'tiny prism_overlap 1 40 128 8/8 {"superoffload.speculation":0}',
      'tiny prism_overlap 1 40 256 2/4 {}',
      'tiny-1M zero_offload  40 128 8/8 {}',
      'tiny-1M prism_overlap 1 40 128 8/8 {}',
      'tiny-1M prism_overlap 1 40 128 8/8 {"superoffload.speculation":0}',
      'tiny-1M prism_overlap 1 40 256 2/4 {}',
    ]);
  });

  it('lets a flag stand before a row, and --mode choose among them', () => {
    const { cases } = withRows({}, { modes: ['zero-offload'], steps: 3 });
    expect(names(cases)).toEqual(['tiny zero_offload', 'tiny-1M zero_offload']);
    expect(cases.every(({ steps }) => steps === 3)).toBe(true);
    const own = withRows(
      {},
      { models: ['tiny'], ratio: 0.5, deepspeedOverrides: ['superoffload.speculation=1'] },
    );
    expect(own.cases.map(({ ratio }) => ratio)).toEqual([null, 0.5, 0.5, 0.5]);
  });

  it('names what it would pass over in silence', () => {
    const wrong: ExperimentRow[] = [
      { title: 'x', mode: 'prism_overlap', models: ['9B'], deepspeed: { 'zero_optimization.stage': 2 } },
    ];
    const { cases, faults } = withRows({ rows: wrong }, { modes: ['ddp'] });
    expect(cases).toEqual([]);
    expect(faults.map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      'experiment own /rows/0 (x): --ds zero_optimization.stage=2: zero_optimization.stage belongs to a flag',
      'experiment own /rows/0 (x)/models: 9B is no size of this entry',
      '--mode ddp: no row of own has it',
    ]);
  });
});
