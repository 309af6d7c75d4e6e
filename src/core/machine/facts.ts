/**
 * What is known about the machine, as data. Collected by adapters/probe; every decision about it is pure.
 * Nothing here names the host or a user.
 */

/** One GPU as nvidia-smi describes it. Null where the driver does not say. */
export interface GpuFacts {
  readonly index: number;
  readonly name: string;
  /** MiB, as nvidia-smi counts them. */
  readonly memoryMiB: number;
  readonly usedMiB: number | null;
  /** `9.0` for Hopper. */
  readonly computeCapability: string | null;
  readonly driverVersion: string | null;
  readonly smClockMHz: number | null;
  readonly maxSmClockMHz: number | null;
  readonly memoryClockMHz: number | null;
  readonly powerLimitW: number | null;
  readonly defaultPowerLimitW: number | null;
  /** Processes that compute on it now: a measurement shares it with them. */
  readonly computeProcesses: number;
}

export interface CpuFacts {
  readonly model: string;
  /** Cores this process may use (affinity counted), not those of the machine. */
  readonly cores: number;
  /** Widest vector instructions: what DeepSpeed's CPU Adam is compiled for. */
  readonly simd: 'avx512' | 'avx2' | 'sve' | 'neon' | 'scalar';
  /** Short digest of model and instruction flags: code built with -march=native belongs to one of these. */
  readonly isa: string;
  readonly numaNodes: number;
}

/** One NUMA node as the kernel describes it. */
export interface NumaNodeFacts {
  readonly id: number;
  /** Its cores as the kernel lists them, `0-71`; '' for memory alone. */
  readonly cpus: string;
  readonly memoryMiB: number;
}

export interface NumaFacts {
  readonly nodes: readonly NumaNodeFacts[];
  /** The nodes that this process may take memory from, as the kernel lists them; null where it does not say. */
  readonly allowed: string | null;
}

export interface HostMemoryFacts {
  /** What a run may use, bytes. */
  readonly limitBytes: number;
  readonly source: 'cgroup v2' | 'cgroup v1' | 'MemTotal';
  /** True for MemTotal: a virtual machine may be given more later. */
  readonly isLowerBound: boolean;
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export interface MachineFacts {
  readonly platform: string;
  /** Node's word: `x64`, `arm64`. */
  readonly arch: string;
  readonly kernel: string;
  readonly cpu: CpuFacts;
  readonly memory: HostMemoryFacts;
  readonly numa: NumaFacts;
  /** Size of a page, bytes; null where unknown. */
  readonly pageBytes: number | null;
  /** CoherentGPUMemoryMode of the NVIDIA driver: `numa`, `driver`, '' for its own choice; null without it. */
  readonly coherentGpuMemoryMode: string | null;
  /** null where there is no /dev/shm. */
  readonly shm: { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** Soft limit of locked memory, bytes; null for unlimited. */
  readonly memlockBytes: number | null;
  readonly gpus: readonly GpuFacts[];
  /** Why nvidia-smi gave no answer although it is there; null otherwise. */
  readonly gpuProblem: string | null;
  readonly cuda: { readonly nvcc: string | null; readonly version: string | null };
}

/** The accelerator that a run uses here. `DS_ACCELERATOR=cpu` in the user's environment turns the GPUs off. */
export function acceleratorOf(
  machine: Pick<MachineFacts, 'gpus'>,
  env: Readonly<Record<string, string | undefined>> = {},
): 'cuda' | 'cpu' {
  return machine.gpus.length > 0 && env['DS_ACCELERATOR'] !== 'cpu' ? 'cuda' : 'cpu';
}
