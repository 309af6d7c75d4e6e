import { describe, expect, it } from 'vitest';
import {
  dataFolders,
  readSystem,
  readSystemFile,
  readSystems,
} from '../../../src/adapters/experiment-data.ts';
import {
  probedSystemFile,
  readMeasurement,
  type Measurement,
} from '../../../src/core/experiment/probed-system.ts';
import { resolveSystem, type ProbedMachine } from '../../../src/core/experiment/system.ts';

const packageRoot = new URL('../../../', import.meta.url).pathname;
const folders = dataFolders({ cwd: '/nonexistent', packageRoot });
const catalog = readSystems(folders);
const local = readSystem('local', folders);
const date = '2026-11-23';
const twoH200: ProbedMachine = {
  ...{ accelerator: 'cuda', gpuName: 'NVIDIA H200', gpuCount: 2, gpuGiB: 140.401, hostGiB: 256.4, cores: 32 },
  hostNumaNodes: null,
};
const measurement: Measurement = {
  ...{ threads: 32, torch: '2.11.0+cu130', gpu: 'NVIDIA H200', gpus: 2 },
  measured: [
    { field: 'hostGBps', value: 193.4567, samples: [193.4567], how: 'triad, 32 threads' },
    { field: 'h2dGBps', value: 55.123, samples: [55.123], how: 'pinned' },
  ],
  skipped: [{ field: 'adamNsPerParameter', why: 'not built' }],
};

describe('probedSystemFile', () => {
  const file = probedSystemFile({ machine: twoH200, measurement, catalog, local, date });

  it('is a file that the check accepts, and that stands for this machine', () => {
    const read = readSystemFile(JSON.stringify(file), 'mine.json');
    expect(read).toEqual({ ok: true, file });
    expect(file).toMatchObject({
      title: '2 x NVIDIA H200',
      chipsPerNode: 2,
      hostGiBPerChip: 128.2,
      coresPerChip: 16,
      link: 'pcie',
      peakTflops: 989,
      rates: { hostGBps: 193.5, h2dGBps: 55.12, adamNsPerParameter: null },
    });
  });

  it('says of each number how it was found, and of what was skipped why', () => {
    expect(file.sources).toMatchObject({
      'rates.hostGBps': 'superoffload systems probe, 2026-11-23: triad, 32 threads, torch 2.11.0+cu130',
      'rates.adamNsPerParameter': 'not measured by superoffload systems probe, 2026-11-23: not built',
    });
    expect(file.sources['peakTflops']).toMatch(/^system h200: NVIDIA H200 data sheet/);
  });

  it('in the catalog, its rates are what local runs on; what it lacks is borrowed further', () => {
    const mine = { name: 'mine', file };
    const { rates } = resolveSystem(local, twoH200, [...catalog, mine]);
    expect(rates).toMatchObject({ hostGBps: 193.5, h2dGBps: 55.12, achievableTflops: 805 });
    expect(resolveSystem(mine, twoH200, [...catalog, mine]).rates).toEqual(rates);
  });

  it('without a GPU, or without a measurement, is sound too', () => {
    const cpu = { ...twoH200, accelerator: 'cpu' as const, gpuName: null, gpuCount: 0, gpuGiB: null };
    for (const machine of [cpu, twoH200, { ...twoH200, gpuName: 'NVIDIA L40S' }]) {
      const bare = probedSystemFile({ machine, measurement: null, catalog, local, date });
      expect(readSystemFile(JSON.stringify(bare), 'mine.json')).toEqual({ ok: true, file: bare });
    }
  });

  it('on a GH200 binds host memory to the nodes that it was probed on', () => {
    const machine = { ...twoH200, gpuName: 'NVIDIA GH200 480GB', gpuCount: 1, hostNumaNodes: [0] };
    const file = probedSystemFile({ machine, measurement: null, catalog, local, date });
    expect(file).toMatchObject({ link: 'c2c', hostNumaNodes: [0], site: { binding: 'numactl' } });
    expect(file.sources['hostGiB']).toContain('NUMA nodes with cores, 0');
  });
});

describe('readMeasurement', () => {
  it('takes what the program prints', () => {
    expect(readMeasurement(JSON.parse(JSON.stringify(measurement)))).toEqual(measurement);
  });

  it.each([
    [undefined, 'no list of measurements'],
    [{ measured: [{ field: 'speed', value: 1 }], skipped: [] }, 'not a rate: {"field":"speed","value":1}'],
    [
      { measured: [{ field: 'hostGBps', value: 0 }], skipped: [] },
      'not a rate: {"field":"hostGBps","value":0}',
    ],
  ])('%j is refused', (value, why) => {
    expect(readMeasurement(value)).toBe(why);
  });
});
