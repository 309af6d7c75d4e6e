import type { BindingName, HardwareRates, Site, System } from './case.ts';
import { unknownRates } from './case.ts';
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
  /**
   * NUMA nodes with cores of their own, where others have memory and no cores (the HBM of a GH200); null where every
   * node with memory has cores.
   */
  readonly hostNumaNodes: readonly number[] | null;
}

export interface NamedSystemFile {
  readonly name: string;
  readonly file: SystemFile;
}

/**
 * Completes a system file with what the machine says. A GPU that another file names (`catalog`) takes its link, peak
 * and rates from there: they cannot be probed in the time of a plan. An unknown GPU has no peak, and counts as PCIe,
 * so that it is never compared with the paper's superchip without a caveat.
 */
export function resolveSystem(
  { name, file }: NamedSystemFile,
  probed: ProbedMachine,
  catalog: readonly NamedSystemFile[],
): System {
  const accelerator = file.accelerator ?? probed.accelerator;
  const cuda = accelerator === 'cuda';
  const gpuName = cuda ? (file.gpuName ?? probed.gpuName) : null;
  const chipsPerNode = file.chipsPerNode ?? Math.max(1, cuda ? probed.gpuCount : probed.cores);
  const cores = file.cores ?? whole(file.coresPerChip, chipsPerNode) ?? probed.cores;
  const gpuGiB = cuda ? (file.gpuGiB ?? probed.gpuGiB) : null;
  const hostGiB = file.hostGiB ?? whole(file.hostGiBPerChip, chipsPerNode) ?? probed.hostGiB;
  const known = cuda ? systemsOfGpu(catalog, gpuName).filter((other) => other.name !== name) : [];
  return {
    name,
    title: name === 'local' && cuda && gpuName !== null ? `${probed.gpuCount} x ${gpuName}` : file.title,
    accelerator,
    link: file.link ?? (cuda ? (firstOf(known, ({ link }) => link) ?? 'pcie') : 'none'),
    chipsPerNode,
    gpuName,
    gpuGiB,
    hostGiB,
    hostGiBPerChip: file.hostGiBPerChip ?? (hostGiB === null ? null : hostGiB / chipsPerNode),
    peakTflops: cuda ? (file.peakTflops ?? firstOf(known, ({ peakTflops }) => peakTflops)) : null,
    cores,
    launcher: file.launcher ?? (cuda ? 'deepspeed' : 'torchrun'),
    rates: resolveRates(file, known, { chipsPerNode, cores, gpuGiB }),
    site: resolveSite(file, probed),
  };
}

/**
 * Host memory that a run's ranks on one node may use together, GiB.
 * Only the share of the chips that they have, unless the run takes the whole node: on DeltaAI a chip has a quarter of
 * 476 GiB, and the artifact's one-chip script silently took all of it.
 * @param exclusiveHost `--exclusive-host`: nobody else runs on the node.
 * @returns null where the system does not say.
 */
export function hostGiBFor(
  system: Pick<System, 'hostGiB' | 'hostGiBPerChip' | 'chipsPerNode'>,
  ranksOnNode: number,
  exclusiveHost: boolean,
): number | null {
  const { hostGiB, hostGiBPerChip } = system;
  if (exclusiveHost || ranksOnNode >= system.chipsPerNode) return hostGiB;
  if (hostGiBPerChip === null) return null;
  return Math.min(hostGiB ?? Number.POSITIVE_INFINITY, hostGiBPerChip * ranksOnNode);
}

function whole(perChip: number | null, chips: number): number | null {
  return perChip === null ? null : perChip * chips;
}

interface ResolvedNode {
  readonly chipsPerNode: number;
  readonly cores: number;
  readonly gpuGiB: number | null;
}

function firstOf<T>(systems: readonly NamedSystemFile[], value: (file: SystemFile) => T | null): T | null {
  return systems.map(({ file }) => value(file)).find((found) => found !== null) ?? null;
}

/** The file's own rates, then those of the files that name the same GPU. */
function resolveRates(
  file: SystemFile,
  known: readonly NamedSystemFile[],
  node: ResolvedNode,
): HardwareRates {
  const sources = [file.rates, ...known.map((other) => borrowedRates(other.file, node))];
  const names = Object.keys(unknownRates) as (keyof HardwareRates)[];
  const rates = names.map(
    (name) => [name, sources.find((from) => from[name] !== null)?.[name] ?? null] as const,
  );
  return Object.fromEntries(rates) as Record<keyof HardwareRates, number | null>;
}

/** Memory of the same kind; GH200 comes with 96 GB of HBM3 and with 144 GB of the faster HBM3e. */
const sameMemory = 0.1;

/**
 * What a GPU's name tells: its own speed and its link's. The host's speed follows only where the host is of the same
 * kind too: as many cores a chip. Between GPUs and nodes a name tells nothing.
 */
function borrowedRates(known: SystemFile, node: ResolvedNode): HardwareRates {
  const { achievableTflops, hbmGBps, h2dGBps, d2hGBps, hostGBps, adamNsPerParameter } = known.rates;
  const memoryRatio = (node.gpuGiB ?? Number.NaN) / (known.gpuGiB ?? Number.NaN);
  const scale = node.chipsPerNode / (known.chipsPerNode ?? Number.NaN);
  const sameHost = known.coresPerChip === node.cores / node.chipsPerNode && Number.isFinite(scale);
  return {
    ...unknownRates,
    achievableTflops,
    hbmGBps: Math.abs(memoryRatio - 1) < sameMemory ? hbmGBps : null,
    h2dGBps,
    d2hGBps,
    hostGBps: sameHost && hostGBps !== null ? hostGBps * scale : null,
    adamNsPerParameter: sameHost && adamNsPerParameter !== null ? adamNsPerParameter / scale : null,
  };
}

function resolveSite({ site, hostNumaNodes }: SystemFile, probed: ProbedMachine): Site {
  // A file that leaves the binding open is of this machine: its NUMA nodes are the probed ones.
  const nodes = hostNumaNodes ?? (site.binding === null ? probed.hostNumaNodes : null);
  const binding: BindingName = site.binding ?? (nodes === null ? 'none' : 'numactl');
  return {
    scheduler: site.scheduler,
    slurm: site.slurm,
    setup: [...site.modules.map((module) => `module load ${module}`), ...site.setup],
    env: site.env,
    binding,
    hostNumaNodes: nodes,
  };
}

/**
 * The files that name this GPU, the longest name first. `H200` names `NVIDIA H200`, but neither `NVIDIA GH200 480GB`
 * nor `NVIDIA H200 NVL`, which is another chip: the driver's name must end with it, as a word.
 */
export function systemsOfGpu<T extends NamedSystemFile>(
  catalog: readonly T[],
  gpuName: string | null,
): readonly T[] {
  const length = ({ file }: T): number => file.gpuName?.length ?? 0;
  return catalog
    .filter(({ file }) => file.gpuName !== null && ` ${gpuName ?? ''}`.endsWith(` ${file.gpuName}`))
    .sort((a, b) => length(b) - length(a));
}
