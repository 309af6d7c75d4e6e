import { hostNumaNodes } from '../machine/numa.ts';
import type { Check, DoctorFacts, Level } from './facts.ts';

const stackGB = 10;
const smallHostGiB = 8;
const smallShmGiB = 1;

/** What the machine offers a run. */
export function machineChecks(facts: DoctorFacts): Check[] {
  return [
    ...gpuChecks(facts),
    cudaCheck(facts),
    memoryCheck(facts),
    shmCheck(facts),
    memlockCheck(facts),
    coresCheck(facts),
    diskCheck(facts),
    portCheck(facts),
  ];
}

function gpuChecks({ machine, accelerator }: DoctorFacts): Check[] {
  const { gpus, gpuProblem } = machine;
  if (gpuProblem !== null) {
    const found = `nvidia-smi fails: ${gpuProblem.split('\n')[0] ?? ''}`;
    return [
      {
        id: 'GPU',
        level: 'warn',
        found,
        fix: 'mend the driver (a reboot after its update, or its kernel module)',
      },
    ];
  }
  if (gpus.length === 0) {
    const found = 'none: runs on the CPU are functional only, they measure nothing of the paper';
    return [{ id: 'GPU', level: 'warn', found, fix: 'use a machine with an NVIDIA GPU for real numbers' }];
  }
  const lines = gpus.map((gpu): Check => {
    const found = `${gpu.index}: ${gpu.name}, ${gib(gpu.memoryMiB * 2 ** 20)} GiB`;
    if (gpu.computeProcesses === 0) return { id: 'GPU', level: 'ok', found, fix: null };
    const fix = 'wait for the others, or choose another GPU with CUDA_VISIBLE_DEVICES';
    return {
      id: 'GPU',
      level: 'warn',
      found: `${found}; ${gpu.computeProcesses} processes compute on it`,
      fix,
    };
  });
  const driver = `${gpus[0]?.driverVersion ?? 'unknown'}${accelerator === 'cpu' ? '; unused: DS_ACCELERATOR=cpu' : ''}`;
  return [...lines, { id: 'driver', level: 'ok', found: driver, fix: null }];
}

function cudaCheck({ machine }: DoctorFacts): Check {
  const { nvcc, version } = machine.cuda;
  const found =
    nvcc === null ? 'no toolkit; none is needed, torch brings its libraries' : `${version ?? '?'}  ${nvcc}`;
  return { id: 'CUDA', level: 'ok', found, fix: null };
}

function memoryCheck({ machine }: DoctorFacts): Check {
  const { limitBytes, source, isLowerBound, availableBytes } = machine.memory;
  const bound = isLowerBound ? ', at least' : '';
  const found = `${gib(limitBytes)} GiB (${source}${bound}), ${gib(Math.min(limitBytes, availableBytes))} available`;
  const isSmall = limitBytes < smallHostGiB * 2 ** 30;
  const fix = isSmall
    ? 'only the tiny sizes will fit; raise the memory limit of this container or job'
    : null;
  return { id: 'host memory', level: isSmall ? 'warn' : 'ok', found, fix };
}

function shmCheck({ machine }: DoctorFacts): Check {
  if (machine.shm === null) {
    const fix = 'mount a tmpfs there: ranks and the CPU optimizer share memory through it';
    return { id: '/dev/shm', level: 'warn', found: 'absent', fix };
  }
  const { totalBytes, freeBytes } = machine.shm;
  const isSmall = freeBytes < smallShmGiB * 2 ** 30;
  const fix = isSmall ? 'a container gets more with --shm-size=8g or --ipc=host' : null;
  const found = `${gib(freeBytes)} of ${gib(totalBytes)} GiB free`;
  return { id: '/dev/shm', level: isSmall ? 'warn' : 'ok', found, fix };
}

/** CUDA pins memory outside this limit; InfiniBand does not. */
function memlockCheck({ machine }: DoctorFacts): Check {
  const { memlockBytes, gpus } = machine;
  if (memlockBytes === null) return { id: 'memlock', level: 'ok', found: 'unlimited', fix: null };
  const found = `${(memlockBytes / 2 ** 20).toFixed(0)} MiB`;
  const level: Level = gpus.length > 0 ? 'warn' : 'ok';
  const fix = level === 'warn' ? 'ulimit -l unlimited, where several nodes meet over InfiniBand' : null;
  return { id: 'memlock', level, found, fix };
}

function coresCheck({ machine }: DoctorFacts): Check {
  const { cores, model, simd, numaNodes } = machine.cpu;
  const own = hostNumaNodes(machine);
  const gpuMemory =
    own === null ? '' : `; GPU memory is NUMA memory too: runs bind to node ${own.join(', ')}`;
  const found = `${cores} usable, ${model}, ${simd}, ${numaNodes} NUMA node${numaNodes === 1 ? '' : 's'}${gpuMemory}`;
  const isSlow = simd === 'scalar';
  const fix = isSlow
    ? 'a CPU with AVX2, AVX-512, NEON or SVE makes the CPU optimizer many times faster'
    : null;
  return { id: 'cores', level: isSlow ? 'warn' : 'ok', found, fix };
}

function diskCheck({ disk, stacks }: DoctorFacts): Check {
  const elsewhere = 'set SUPEROFFLOAD_HOME to a folder on another disk';
  if (disk.problem !== null) {
    return { id: 'disk', level: 'missing', found: `${disk.path}: ${disk.problem}`, fix: elsewhere };
  }
  const freeGB = (disk.freeBytes ?? 0) / 1e9;
  const found = `${freeGB.toFixed(1)} GB free at ${disk.path}`;
  if (freeGB >= stackGB) return { id: 'disk', level: 'ok', found, fix: null };
  const level = stacks.length === 0 ? 'missing' : 'warn';
  return { id: 'disk', level, found, fix: `a stack needs ${stackGB} GB: free some, or ${elsewhere}` };
}

function portCheck({ freePort }: DoctorFacts): Check {
  if (freePort !== null) return { id: 'port', level: 'ok', found: 'a free port can be opened', fix: null };
  const fix = 'ranks meet on a TCP port of this machine: look at its network limits';
  return { id: 'port', level: 'missing', found: 'no port can be opened on the loopback interface', fix };
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
