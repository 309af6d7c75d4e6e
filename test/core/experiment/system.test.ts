import { describe, expect, it } from 'vitest';
import { dataFolders, readSystem, readSystems } from '../../../src/adapters/experiment-data.ts';
import { resolveSystem, type ProbedMachine } from '../../../src/core/experiment/system.ts';

const root = new URL('../../../', import.meta.url).pathname;
const folders = dataFolders({ cwd: '/nonexistent', packageRoot: root });
const catalog = readSystems(folders);
const cpuMachine: ProbedMachine = {
  accelerator: 'cpu',
  gpuName: null,
  gpuCount: 0,
  gpuGiB: null,
  hostGiB: 24,
  cores: 2,
};
const withGpu = (gpuName: string): ProbedMachine => ({
  ...cpuMachine,
  accelerator: 'cuda',
  gpuName,
  gpuCount: 2,
  gpuGiB: 140,
  hostGiB: 250,
  cores: 32,
});
const local = readSystem('local', folders);

describe('resolveSystem', () => {
  it('local on a CPU machine is its own cores and memory', () => {
    expect(resolveSystem(local, cpuMachine, catalog)).toEqual({
      name: 'local',
      title: 'This machine',
      accelerator: 'cpu',
      link: 'none',
      chipsPerNode: 2,
      gpuName: null,
      gpuGiB: null,
      hostGiB: 24,
      peakTflops: null,
      cores: 2,
      launcher: 'torchrun',
    });
  });

  it('local with a GPU that a file names borrows its peak and link', () => {
    expect(resolveSystem(local, withGpu('NVIDIA H200'), catalog)).toMatchObject({
      accelerator: 'cuda',
      chipsPerNode: 2,
      gpuGiB: 140,
      peakTflops: 989,
      link: 'pcie',
      launcher: 'deepspeed',
    });
  });

  it.each(['NVIDIA GH200 480GB', 'NVIDIA L40S'])('%s has no known peak', (name) => {
    expect(resolveSystem(local, withGpu(name), catalog).peakTflops).toBeNull();
  });

  it('h200 does not change with the machine that plans it', () => {
    const h200 = readSystem('h200', folders);
    expect(resolveSystem(h200, cpuMachine, catalog)).toEqual(
      resolveSystem(h200, withGpu('NVIDIA L40S'), catalog),
    );
  });

  it('cpu on a GPU machine stays on the CPU', () => {
    const system = resolveSystem(readSystem('cpu', folders), withGpu('NVIDIA H200'), catalog);
    expect(system).toMatchObject({
      accelerator: 'cpu',
      gpuName: null,
      gpuGiB: null,
      peakTflops: null,
      cores: 32,
    });
  });
});

describe('every system file', () => {
  it.each(catalog)('$name has a source for every number', ({ file }) => {
    for (const [field, value] of Object.entries(file)) {
      if (typeof value === 'number') expect(file.sources, field).toHaveProperty(field);
    }
  });
});
