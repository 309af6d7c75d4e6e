import { describe, expect, it } from 'vitest';
import { dataFolders, readSystem, readSystems } from '../../../src/adapters/experiment-data.ts';
import { plainSite, unknownRates } from '../../../src/core/experiment/case.ts';
import { hostGiBFor, resolveSystem, type ProbedMachine } from '../../../src/core/experiment/system.ts';

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
  hostNumaNodes: null,
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
      hostGiBPerChip: 12,
      peakTflops: null,
      cores: 2,
      launcher: 'torchrun',
      rates: unknownRates,
      site: plainSite,
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

  it('local with such a GPU borrows its rates, those of the host where it is of the same kind', () => {
    const h200 = readSystem('h200', folders).file.rates;
    const same = resolveSystem(local, withGpu('NVIDIA H200'), catalog).rates;
    expect(same).toMatchObject({ achievableTflops: h200.achievableTflops, h2dGBps: h200.h2dGBps });
    expect(same.hostGBps).toBe(2 * (h200.hostGBps ?? 0));
    expect(same.adamNsPerParameter).toBe((h200.adamNsPerParameter ?? 0) / 2);
    expect(same).toMatchObject({ intraNodeGBps: null, interNodeGBps: null });
    const other = resolveSystem(local, { ...withGpu('NVIDIA H200'), cores: 64 }, catalog).rates;
    expect(other).toMatchObject({ h2dGBps: h200.h2dGBps, hostGBps: null, adamNsPerParameter: null });
  });

  it('a GH200 with 144 GB of faster memory borrows the peak, not the speed of the 96 GB', () => {
    const machine = { ...withGpu('NVIDIA GH200 480GB'), gpuCount: 1, cores: 72 };
    const rates = resolveSystem(local, { ...machine, gpuGiB: 141 }, catalog);
    expect(rates).toMatchObject({ link: 'c2c', peakTflops: 990, rates: { hbmGBps: null, h2dGBps: 406 } });
    expect(resolveSystem(local, { ...machine, gpuGiB: 95.6 }, catalog).rates.hbmGBps).toBe(4000);
  });

  it.each(['NVIDIA H200 NVL', 'NVIDIA H100 PCIe', 'NVIDIA L40S', 'NVIDIA GH200'])(
    '%s has no known peak: it is another chip',
    (name) => {
      const without = catalog.filter(({ name: file }) => file !== 'gh200-nvl2');
      expect(resolveSystem(local, withGpu(name), without).peakTflops).toBeNull();
    },
  );

  it('where GPU memory is a NUMA node, local binds to the others; a file that says how to bind wins', () => {
    const machine = { ...withGpu('NVIDIA GH200 480GB'), hostNumaNodes: [0] };
    expect(resolveSystem(local, machine, catalog).site).toMatchObject({
      binding: 'numactl',
      hostNumaNodes: [0],
    });
    const cpu = resolveSystem(readSystem('cpu', folders), machine, catalog);
    expect(cpu.site).toMatchObject({ binding: 'none', hostNumaNodes: null });
  });

  it('modules are loaded before the set-up lines', () => {
    const site = { ...local.file.site, modules: ['cuda/12', 'gcc'], setup: ['source activate'] };
    const mine = { name: 'mine', file: { ...local.file, site } };
    expect(resolveSystem(mine, cpuMachine, catalog).site.setup).toEqual([
      'module load cuda/12',
      'module load gcc',
      'source activate',
    ]);
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

describe('hostGiBFor: a chip has its share of the node, all of it only when the node is its own', () => {
  const deltaai = resolveSystem(readSystem('deltaai', folders), cpuMachine, catalog);
  it.each([
    [1, false, 119],
    [2, false, 238],
    [4, false, 476],
    [1, true, 476],
    [4, true, 476],
  ])('%i ranks on a node of DeltaAI, exclusive %s: %i GiB', (ranks, exclusive, gib) => {
    expect(hostGiBFor(deltaai, ranks, exclusive)).toBe(gib);
  });

  it('is not known where the system does not say, and never more than the node has', () => {
    const unknown = { ...deltaai, hostGiB: null, hostGiBPerChip: null };
    expect(hostGiBFor(unknown, 1, false)).toBeNull();
    expect(hostGiBFor(unknown, 1, true)).toBeNull();
    expect(hostGiBFor({ ...deltaai, hostGiBPerChip: 200 }, 3, false)).toBe(476);
  });
});

describe('every system file', () => {
  it('is there', () => {
    const names = ['a100-80g', 'cpu', 'deltaai', 'gh200', 'gh200-nvl2', 'h100', 'h200', 'local'];
    expect(catalog.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it.each(catalog)('$name has a source for every number', ({ file }) => {
    const numbers = [
      ...Object.entries(file),
      ...Object.entries(file.rates).map(([field, value]) => [`rates.${field}`, value] as const),
    ].filter(([, value]) => typeof value === 'number' || Array.isArray(value));
    // A field with a dot is one key of `sources`, not a path into it.
    for (const [field] of numbers) expect(file.sources, field).toHaveProperty([field]);
  });
});
