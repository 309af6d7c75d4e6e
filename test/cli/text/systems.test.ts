import { expect, it } from 'vitest';
import { dataFolders, readSystem } from '../../../src/adapters/experiment-data.ts';
import { probeDryRunText, systemText, systemsTable } from '../../../src/cli/text/systems.ts';
import { resolveSystem, type ProbedMachine } from '../../../src/core/experiment/system.ts';

const packageRoot = new URL('../../../', import.meta.url).pathname;
const { file } = readSystem('deltaai', dataFolders({ cwd: '/nonexistent', packageRoot }));
const machine: ProbedMachine = {
  ...{ accelerator: 'cpu', gpuName: null, gpuCount: 0, gpuGiB: null, hostGiB: 24, cores: 2 },
  hostNumaNodes: null,
};
const system = { ...resolveSystem({ name: 'deltaai', file }, machine, []), isUsers: false };

it('the list has a line a system, and marks those of the user', () => {
  const text = systemsTable([system, { ...system, name: 'ours', isUsers: true, peakTflops: null }]);
  const [, first, second, , note] = text.split('\n');
  expect(first?.split(/\s{2,}/)).toEqual([
    ...['deltaai', '4', 'GH200 120GB', '95', '119', '476', 'c2c', '406', '990', 'deepspeed', 'slurm'],
  ]);
  expect(second).toMatch(/^ours\*.* - /);
  expect(note).toBe('* from ./experiment/systems');
  expect(systemsTable([system])).not.toContain('*');
});

it('one system has its numbers with their units, and where each comes from', () => {
  const lines = systemText({ schemaVersion: 1, system, file }).split('\n');
  const line = (title: string): string => lines.find((text) => text.trim().startsWith(title)) ?? '';
  expect(line('GPU memory ')).toMatch(/95 GiB\s+HBM of 97280 MiB/);
  expect(line('CPU Adam')).toMatch(/0\.024 ns a parameter\s+SuperOffload paper/);
  expect(line('NUMA nodes')).toMatch(/0, 1, 2, 3\s+NCSA/);
  expect(line('Slurm')).toMatch(/partition=ghx4\s+NCSA/);
  expect(line('variable')).toMatch(/NCCL_SOCKET_IFNAME=hsn\s+NCSA/);
  const unknown = { ...system, rates: { ...system.rates, hostGBps: null } };
  expect(systemText({ schemaVersion: 1, system: unknown, file })).toMatch(/host memory speed\s+-\s/);
});

it('a dry run is the command that a shell would take', () => {
  expect(probeDryRunText({ command: ['/a b/python', 'measure.py'] })).toBe("'/a b/python' measure.py");
  expect(probeDryRunText({ command: null })).toBe('nothing would be measured');
});
