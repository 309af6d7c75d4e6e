import { plainSite, unknownRates, type System } from './case.ts';
import type { SystemFile } from './system-file.schema.ts';

/** What a probe of this machine found. null where it could not tell. */
export interface ProbedMachine {
  readonly accelerator: 'cuda' | 'cpu';
  readonly gpuName: string | null;
  readonly gpuCount: number;
  /** Memory of one GPU, GiB. */
  readonly gpuGiB: number | null;
  /** What a run may use: the cgroup's limit, else MemTotal, GiB. */
  readonly hostGiB: number | null;
  readonly cores: number;
}

export interface NamedSystemFile {
  readonly name: string;
  readonly file: SystemFile;
}

/**
 * Completes a system file with what the machine says. A GPU that another file names (`catalog`) takes its link and
 * peak from there: neither can be probed. An unknown GPU has no peak, and counts as PCIe, so that it is never
 * compared with the paper's superchip without a caveat.
 */
export function resolveSystem(
  { name, file }: NamedSystemFile,
  probed: ProbedMachine,
  catalog: readonly NamedSystemFile[],
): System {
  const accelerator = file.accelerator ?? probed.accelerator;
  const cuda = accelerator === 'cuda';
  const gpuName = cuda ? (file.gpuName ?? probed.gpuName) : null;
  const known = catalog.find((other) => namesGpu(other.file, gpuName))?.file;
  const hostGiB = file.hostGiB ?? probed.hostGiB;
  const chipsPerNode = file.chipsPerNode ?? Math.max(1, cuda ? probed.gpuCount : probed.cores);
  return {
    name,
    title: name === 'local' && cuda && gpuName !== null ? `${probed.gpuCount} x ${gpuName}` : file.title,
    accelerator,
    link: file.link ?? (cuda ? (known?.link ?? 'pcie') : 'none'),
    chipsPerNode,
    gpuName,
    gpuGiB: cuda ? (file.gpuGiB ?? probed.gpuGiB) : null,
    hostGiB,
    hostGiBPerChip: hostGiB === null ? null : hostGiB / chipsPerNode,
    peakTflops: cuda ? (file.peakTflops ?? known?.peakTflops ?? null) : null,
    cores: file.cores ?? probed.cores,
    launcher: file.launcher ?? (cuda ? 'deepspeed' : 'torchrun'),
    rates: unknownRates,
    site: plainSite,
  };
}

/** `H200` names `NVIDIA H200` but not `NVIDIA GH200 480GB`: it must stand as a word. */
function namesGpu(file: SystemFile, gpuName: string | null): boolean {
  if (file.gpuName === null || gpuName === null) return false;
  return gpuName.split(/[^A-Za-z0-9]+/).includes(file.gpuName) || gpuName === file.gpuName;
}
