import { describe, expect, it } from 'vitest';
import { memoryLimitFiles, parseLimit } from '../../../src/core/machine/cgroup.ts';
import { acceleratorOf } from '../../../src/core/machine/facts.ts';
import { parseGpus } from '../../../src/core/machine/nvidia-smi.ts';
import { parseCpuinfo, parseMeminfo, parseMemlock, simdOf } from '../../../src/core/machine/proc.ts';

describe('memoryLimitFiles', () => {
  it('lists every level of a nested v2 group, since a limit of any ancestor binds', () => {
    const paths = memoryLimitFiles('0::/kubepods/pod1\n').map(({ path }) => path);
    expect(paths).toContain('/sys/fs/cgroup/kubepods/pod1/memory.max');
    expect(paths).toContain('/sys/fs/cgroup/kubepods/memory.max');
    expect(paths).toContain('/sys/fs/cgroup/memory.max');
  });

  it('finds the v1 memory controller, alone or joined with others, and ignores the rest', () => {
    const text = '9:name=systemd:/\n4:cpu,memory:/slurm/job_7\n1:cpuset:/x\n';
    expect(memoryLimitFiles(text)).toEqual(
      ['/slurm/job_7', '/slurm', ''].map((level) => ({
        path: `/sys/fs/cgroup/memory${level}/memory.limit_in_bytes`,
        source: 'cgroup v1',
      })),
    );
  });

  it.each([
    ['max\n', undefined],
    ['9223372036854771712\n', undefined],
    ['8589934592\n', 8 * 2 ** 30],
    ['', undefined],
  ])('reads the limit %j as %j', (text, bytes) => {
    expect(parseLimit(text)).toBe(bytes);
  });
});

describe('files of /proc', () => {
  it('reads memory, locked memory and the CPU', () => {
    expect(parseMeminfo('MemTotal:  100 kB\nMemFree: 3 kB\nMemAvailable:   50 kB\n')).toEqual({
      totalBytes: 102_400,
      availableBytes: 51_200,
    });
    expect(parseMemlock('Max locked memory         8388608              8388608              bytes\n')).toBe(
      8_388_608,
    );
    expect(
      parseMemlock('Max locked memory         unlimited            unlimited            bytes\n'),
    ).toBeNull();
    const x86 = parseCpuinfo('processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: sse avx2 avx512f\n');
    expect(x86).toEqual({ model: 'AMD EPYC', flags: ['avx2', 'avx512f', 'sse'] });
    const grace = parseCpuinfo('Features\t: fp asimd sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n');
    expect(grace.model).toBe('Arm 0x41 0xd4f');
    expect(simdOf('arm64', grace.flags)).toBe('sve');
  });

  it.each([
    ['x64', ['avx2', 'avx512f'], 'avx512'],
    ['x64', ['avx2'], 'avx2'],
    ['x64', ['sse'], 'scalar'],
    ['arm64', ['asimd'], 'neon'],
  ] as const)('%s with %j compiles for %s', (arch, flags, simd) => {
    expect(simdOf(arch, flags)).toBe(simd);
  });
});

describe('parseGpus', () => {
  // The column order is gpuQuery's; the values are of one H200, with an invented uuid.
  const line = '0, GPU-1, NVIDIA H200, 143771, 612, 9.0, 580.95.05, 345, 1980, 3201, 700.00, [N/A]';

  it('reads a GPU, counts its own compute processes, and takes [N/A] for unknown', () => {
    const [gpu] = parseGpus(`${line}\n`, 'GPU-1, 4242\nGPU-2, 1\n');
    expect(gpu).toMatchObject({ name: 'NVIDIA H200', memoryMiB: 143_771, computeCapability: '9.0' });
    expect(gpu).toMatchObject({ powerLimitW: 700, defaultPowerLimitW: null, computeProcesses: 1 });
  });

  it('reads nothing out of an error text', () => {
    expect(parseGpus('No devices were found\n', '')).toEqual([]);
  });

  it.each<[visible: string | undefined, indices: number[]]>([
    [undefined, [0, 1, 2]],
    ['2,0', [2, 0]],
    [' 1 ', [1]],
    ['GPU-b', [1]],
    ['', []],
    ['-1', []],
    ['0,7,1', [0]],
    ['1,1', [1]],
    ['MIG-GPU-a/1/0', [0, 1, 2]],
  ])('counts only what CUDA_VISIBLE_DEVICES=%s leaves', (visible, indices) => {
    const rows = ['a', 'b', 'c'].map((name, index) => line.replace(/^0, GPU-1/, `${index}, GPU-${name}`));
    expect(parseGpus(rows.join('\n'), '', visible).map(({ index }) => index)).toEqual(indices);
  });

  it('lets DS_ACCELERATOR=cpu turn the GPUs off', () => {
    const gpus = parseGpus(line, '');
    expect(acceleratorOf({ gpus })).toBe('cuda');
    expect(acceleratorOf({ gpus }, { DS_ACCELERATOR: 'cpu' })).toBe('cpu');
    expect(acceleratorOf({ gpus: [] })).toBe('cpu');
  });
});
