import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/core/doctor/checks.ts';
import type { DoctorFacts } from '../../../src/core/doctor/facts.ts';
import type { GpuFacts, MachineFacts } from '../../../src/core/machine/facts.ts';
import type { PythonFacts } from '../../../src/core/stack/python.ts';

const gib = 2 ** 30;
const gpu: GpuFacts = {
  ...{ index: 0, name: 'NVIDIA H200', memoryMiB: 143_771, usedMiB: 0, computeCapability: '9.0' },
  ...{ driverVersion: '580.95.05', smClockMHz: 345, maxSmClockMHz: 1980, memoryClockMHz: 3201 },
  ...{ powerLimitW: 700, defaultPowerLimitW: 700, computeProcesses: 0 },
};
const machine: MachineFacts = {
  ...{ platform: 'linux', arch: 'x64', kernel: '6.1.0', gpus: [], gpuProblem: null, memlockBytes: null },
  cpu: { model: 'AMD EPYC', cores: 16, simd: 'avx512', isa: 'abcd1234', numaNodes: 1 },
  memory: {
    limitBytes: 64 * gib,
    source: 'cgroup v2',
    isLowerBound: false,
    totalBytes: 128 * gib,
    availableBytes: 100 * gib,
  },
  numa: { nodes: [{ id: 0, cpus: '0-15', memoryMiB: 131_072 }], allowed: '0' },
  pageBytes: 4096,
  coherentGpuMemoryMode: null,
  shm: { totalBytes: 32 * gib, freeBytes: 32 * gib },
  cuda: { nvcc: null, version: null },
};
const python: PythonFacts = {
  ...{ path: '/usr/bin/python3', identity: 'a', version: '3.11.2', machine: 'x86_64', is64Bit: true },
  ...{ base: '/usr/bin/python3', hasHeaders: true, hasVenv: true, hasEnsurepip: true, hasPip: true },
  ...{ sitePackages: [], torch: null, packages: {} },
};
const candidate = (change: Partial<PythonFacts>) => ({
  ...{ command: 'python3', problem: null },
  facts: { ...python, ...change },
});
const there = { path: '/usr/bin/tool', version: '1.0' };
const absent = { path: null, version: null };
const stack = {
  name: 'pip',
  torch: '2.15.0',
  deepspeed: '0.19.8',
  accelerator: 'cpu' as const,
  isCurrent: true,
};
const healthy: DoctorFacts = {
  ...{
    machine,
    accelerator: 'cpu',
    pythons: [candidate({})],
    freePort: 40_001,
    stacks: [],
    stackProblems: [],
  },
  tools: { uv: there, git: there, 'git-lfs': there, ssh: there, 'g++': there, ninja: there, numactl: there },
  disk: { path: '/state', freeBytes: 50e9, problem: null },
};
const withTool = (name: keyof DoctorFacts['tools'], tool = absent) => ({
  tools: { ...healthy.tools, [name]: tool },
});
const withMachine = (change: Partial<MachineFacts>) => ({ machine: { ...machine, ...change } });

describe('diagnose', () => {
  it('finds nothing missing on a healthy machine without a GPU, and says what it is good for', () => {
    const { checks, canRun } = diagnose(healthy);
    expect(canRun).toBe(true);
    expect(checks.filter(({ level }) => level !== 'ok').map(({ id }) => id)).toEqual(['GPU', 'stack']);
  });

  it('gives a fix with every line that is not ok', () => {
    const worst: DoctorFacts = {
      ...healthy,
      ...{ pythons: [], freePort: null, stackProblems: ['pip: not ready'] },
      tools: {
        uv: absent,
        git: absent,
        'git-lfs': absent,
        ssh: absent,
        'g++': absent,
        ninja: absent,
        numactl: absent,
      },
      disk: { path: '/state', freeBytes: null, problem: 'the file system is read-only' },
      machine: { ...machine, shm: null, gpus: [gpu], memlockBytes: 65_536 },
    };
    const { checks, canRun } = diagnose(worst);
    expect(canRun).toBe(false);
    for (const check of checks.filter(({ level }) => level !== 'ok'))
      expect(check.fix, check.id).not.toBeNull();
  });

  // [what is different, the check that must show it, its level, whether the main job can run]
  it.each<[string, Partial<DoctorFacts>, string, string, boolean]>([
    ['no compiler', withTool('g++'), 'g++', 'missing', false],
    [
      'a compiler that does not run',
      withTool('g++', { path: '/x/g++', version: null } as never),
      'g++',
      'missing',
      false,
    ],
    ['no ninja: the stack has one', withTool('ninja'), 'ninja', 'ok', true],
    ['no git', withTool('git'), 'git', 'warn', true],
    ['no git-lfs', withTool('git-lfs'), 'git-lfs', 'warn', true],
    ['no ssh', withTool('ssh'), 'ssh', 'warn', true],
    ['no numactl', withTool('numactl'), 'numactl', 'warn', true],
    ['no uv but venv', withTool('uv'), 'venv', 'ok', true],
    [
      'neither',
      { ...withTool('uv'), pythons: [candidate({ hasEnsurepip: false })] },
      'venv',
      'missing',
      false,
    ],
    ['no Python', { pythons: [] }, 'python', 'missing', false],
    [
      'a shim that answers 127',
      { pythons: [{ command: 'python3.12', facts: null, problem: 'exit status 127' }] },
      'python',
      'missing',
      false,
    ],
    ['only an old Python', { pythons: [candidate({ version: '3.9.1' })] }, 'python', 'missing', false],
    ['only a newer Python', { pythons: [candidate({ version: '3.13.0' })] }, 'python', 'warn', true],
    ['no headers', { pythons: [candidate({ hasHeaders: false })] }, 'Python.h', 'missing', false],
    [
      'no headers, but a ready stack',
      { pythons: [candidate({ hasHeaders: false })], stacks: [stack] },
      'Python.h',
      'warn',
      true,
    ],
    ['a stack of another CPU', { stacks: [{ ...stack, isCurrent: false }] }, 'stack', 'warn', true],
    ['little disk', { disk: { path: '/state', freeBytes: 3e9, problem: null } }, 'disk', 'missing', false],
    [
      'little disk, stack in place',
      { disk: { path: '/s', freeBytes: 3e9, problem: null }, stacks: [stack] },
      'disk',
      'warn',
      true,
    ],
    [
      'read-only state',
      { disk: { path: '/state', freeBytes: null, problem: 'read-only' }, stacks: [stack] },
      'disk',
      'missing',
      false,
    ],
    ['no port', { freePort: null }, 'port', 'missing', false],
    [
      'little memory',
      withMachine({ memory: { ...machine.memory, limitBytes: 4 * gib } }),
      'host memory',
      'warn',
      true,
    ],
    ['no /dev/shm', withMachine({ shm: null }), '/dev/shm', 'warn', true],
    [
      '64 MB of /dev/shm',
      withMachine({ shm: { totalBytes: 67e6, freeBytes: 67e6 } }),
      '/dev/shm',
      'warn',
      true,
    ],
    [
      'a driver that fails',
      withMachine({ gpuProblem: 'Driver/library version mismatch' }),
      'GPU',
      'warn',
      true,
    ],
    ['a GPU in use', withMachine({ gpus: [{ ...gpu, computeProcesses: 2 }] }), 'GPU', 'warn', true],
    ['a scalar CPU', withMachine({ cpu: { ...machine.cpu, simd: 'scalar' } }), 'cores', 'warn', true],
    [
      'locked memory limited, GPU',
      withMachine({ gpus: [gpu], memlockBytes: 65_536 }),
      'memlock',
      'warn',
      true,
    ],
  ])('%s', (_title, change, id, level, canRun) => {
    const found = diagnose({ ...healthy, ...change });
    expect(found.checks.find((check) => check.id === id)).toMatchObject({ level });
    expect(found.canRun).toBe(canRun);
  });

  it('marks MemTotal as a lower bound', () => {
    const memory = { ...machine.memory, source: 'MemTotal' as const, isLowerBound: true };
    const found = diagnose({ ...healthy, ...withMachine({ memory }) }).checks.find(
      ({ id }) => id === 'host memory',
    );
    expect(found?.found).toContain('MemTotal, at least');
  });
});

it('where the memory of a GPU is a NUMA node, the cores say which nodes runs bind to', () => {
  const numa = {
    nodes: [
      { id: 0, cpus: '0-71', memoryMiB: 490_037 },
      { id: 1, cpus: '', memoryMiB: 97_280 },
    ],
    allowed: '0-1',
  };
  const { checks } = diagnose({ ...healthy, machine: { ...machine, arch: 'arm64', numa } });
  expect(checks.find(({ id }) => id === 'cores')?.found).toContain('runs bind to node 0');
});
