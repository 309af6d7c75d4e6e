import { createHash } from 'node:crypto';
import { readFileSync, statfsSync } from 'node:fs';
import { arch, availableParallelism, platform, release, totalmem, freemem } from 'node:os';
import { memoryLimitFiles, parseLimit } from '../../core/machine/cgroup.ts';
import type { CpuFacts, HostMemoryFacts, MachineFacts, NumaFacts } from '../../core/machine/facts.ts';
import { parseCoherentMemoryMode, parsePageBytes } from '../../core/machine/numa.ts';
import { parseCpuinfo, parseMemlock, simdOf } from '../../core/machine/proc.ts';
import { probeCuda, probeGpus } from './gpu.ts';
import { hostMemoryOf, probeNuma } from './numa.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Looks at the machine: cheap (a few small files; one nvidia-smi where there is one), so that a plan can afford
 * it, and free of anything that names the host. Never throws: what cannot be read is null, zero or `unknown`.
 */
export async function probeMachine(env: Env, signal?: AbortSignal): Promise<MachineFacts> {
  const [gpu, cuda] = await Promise.all([probeGpus(env, signal), probeCuda(env, signal)]);
  const numa = probeNuma();
  return {
    platform: platform(),
    arch: arch(),
    kernel: release(),
    cpu: probeCpu(numa),
    memory: probeMemory(),
    numa,
    pageBytes: probePageBytes(),
    coherentGpuMemoryMode: parseCoherentMemoryMode(readText('/proc/driver/nvidia/params')),
    shm: probeShm(),
    memlockBytes: parseMemlock(readText('/proc/self/limits')),
    gpus: gpu.gpus,
    gpuProblem: gpu.problem,
    cuda,
  };
}

function probeCpu({ nodes }: NumaFacts): CpuFacts {
  const { model, flags } = parseCpuinfo(readText('/proc/cpuinfo'));
  return {
    model,
    cores: availableParallelism(),
    simd: simdOf(arch(), flags),
    isa: createHash('sha256')
      .update([model, ...flags].join(' '))
      .digest('hex')
      .slice(0, 8),
    numaNodes: Math.max(1, nodes.filter(({ cpus, memoryMiB }) => cpus !== '' || memoryMiB > 0).length),
  };
}

function probePageBytes(): number | null {
  try {
    return parsePageBytes(readFileSync('/proc/self/auxv'));
  } catch {
    return null;
  }
}

/** What a run may use of the host's memory, and who says so. */
export function probeMemory(): HostMemoryFacts {
  const meminfo = hostMemoryOf(readText('/proc/meminfo'));
  const totalBytes = meminfo.totalBytes === 0 ? totalmem() : meminfo.totalBytes;
  const availableBytes = meminfo.availableBytes === 0 ? freemem() : meminfo.availableBytes;
  const limits = memoryLimitFiles(readText('/proc/self/cgroup')).flatMap(({ path, source }) => {
    const limitBytes = parseLimit(readText(path));
    return limitBytes === undefined || limitBytes >= totalBytes ? [] : [{ limitBytes, source }];
  });
  const tightest = limits.sort((a, b) => a.limitBytes - b.limitBytes)[0];
  if (tightest === undefined) {
    return { limitBytes: totalBytes, source: 'MemTotal', isLowerBound: true, totalBytes, availableBytes };
  }
  return { ...tightest, isLowerBound: false, totalBytes, availableBytes };
}

function probeShm(): MachineFacts['shm'] {
  try {
    const { blocks, bavail, bsize } = statfsSync('/dev/shm');
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
