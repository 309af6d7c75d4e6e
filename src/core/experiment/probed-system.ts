import { unknownRates, type HardwareRates } from './case.ts';
import { resolveSystem, systemsOfGpu, type NamedSystemFile, type ProbedMachine } from './system.ts';
import type { SystemFile } from './system-file.schema.ts';

/** What experiment/systems/measure.py found, as it prints it. */
export interface Measurement {
  readonly threads: number;
  readonly torch: string;
  readonly gpu: string | null;
  readonly gpus: number;
  readonly measured: readonly Measured[];
  readonly skipped: readonly { readonly field: string; readonly why: string }[];
}

/** One of the rates: the median of its samples, in the unit of its field. */
export interface Measured {
  readonly field: keyof HardwareRates;
  readonly value: number;
  readonly samples: readonly number[];
  /** Sizes, threads and repeats. */
  readonly how: string;
}

/** @returns what the program printed, or why that is not what it prints. */
export function readMeasurement(value: unknown): Measurement | string {
  const data = (value ?? {}) as Partial<Measurement>;
  if (!Array.isArray(data.measured) || !Array.isArray(data.skipped)) return 'no list of measurements';
  const wrong = (data.measured as readonly Partial<Measured>[]).find(
    ({ field, value: number }) =>
      field === undefined || !(field in unknownRates) || typeof number !== 'number' || !(number > 0),
  );
  return wrong === undefined ? (data as Measurement) : `not a rate: ${JSON.stringify(wrong)}`;
}

interface ProbedSystemInputs {
  readonly machine: ProbedMachine;
  /** null where nothing was measured. */
  readonly measurement: Measurement | null;
  readonly catalog: readonly NamedSystemFile[];
  /** The file `local`, which leaves everything to the machine. */
  readonly local: NamedSystemFile;
  /** Of the probe, YYYY-MM-DD. */
  readonly date: string;
}

/**
 * This machine as a system file: what was probed and measured today, and of a GPU that another file names also its
 * link and peak, which nothing here can measure.
 */
export function probedSystemFile(inputs: ProbedSystemInputs): SystemFile {
  const { machine, measurement, catalog, local, date } = inputs;
  const system = resolveSystem(local, machine, catalog);
  const { accelerator, chipsPerNode, gpuName, hostGiB, cores } = system;
  const cuda = accelerator === 'cuda';
  const own = measuredRates(measurement);
  const perChip = cuda && hostGiB !== null ? rounded(hostGiB / chipsPerNode) : null;
  const file: Omit<SystemFile, 'sources'> = {
    title: cuda ? `${chipsPerNode} x ${gpuName ?? 'GPU'}` : `${cores} CPU cores (functional only)`,
    accelerator,
    link: system.link,
    chipsPerNode: cuda ? chipsPerNode : null,
    gpuName,
    gpuGiB: system.gpuGiB === null ? null : rounded(system.gpuGiB),
    hostGiB: hostGiB === null ? null : rounded(hostGiB),
    hostGiBPerChip: perChip,
    cores,
    coresPerChip: cuda ? Math.max(1, Math.floor(cores / chipsPerNode)) : null,
    hostNumaNodes: system.site.hostNumaNodes === null ? null : [...system.site.hostNumaNodes],
    peakTflops: system.peakTflops,
    launcher: system.launcher,
    rates: own,
    site: { ...local.file.site, binding: system.site.binding },
  };
  return { ...file, sources: sourcesOf(file, inputs, `superoffload systems probe, ${date}`) };
}

function measuredRates(measurement: Measurement | null): HardwareRates {
  const found = (measurement?.measured ?? []).map(({ field, value }) => [field, rounded(value)] as const);
  return { ...unknownRates, ...Object.fromEntries(found) };
}

function sourcesOf(
  file: Omit<SystemFile, 'sources'>,
  { measurement, catalog, machine }: ProbedSystemInputs,
  by: string,
): Record<string, string> {
  const probed = {
    chipsPerNode: 'GPUs that nvidia-smi lists and CUDA_VISIBLE_DEVICES leaves',
    gpuGiB: "nvidia-smi's memory.total, the smallest GPU's",
    hostGiB:
      machine.hostNumaNodes === null
        ? "the control group's limit, else MemTotal of /proc/meminfo"
        : `memory of the NUMA nodes with cores, ${machine.hostNumaNodes.join(', ')}: MemTotal counts the GPU's in`,
    hostGiBPerChip: 'hostGiB / chipsPerNode',
    cores: 'cores that this process may use',
    coresPerChip: 'cores / chipsPerNode',
  } as const;
  const found = Object.entries(probed)
    .filter(([field]) => file[field as keyof typeof probed] !== null)
    .map(([field, how]) => [field, `${by}: ${how}`] as const);
  const rates = (measurement?.measured ?? []).map(
    ({ field, how }) => [`rates.${field}`, `${by}: ${how}, torch ${measurement?.torch ?? ''}`] as const,
  );
  const skipped = (measurement?.skipped ?? []).map(
    ({ field, why }) => [`rates.${field}`, `not measured by ${by}: ${why}`] as const,
  );
  return {
    ...Object.fromEntries(found),
    ...(file.accelerator === 'cuda' ? borrowedSources(file.gpuName, catalog) : {}),
    ...Object.fromEntries([...rates, ...skipped]),
  };
}

/** Of what {@link resolveSystem} took from a file that names the same GPU. */
function borrowedSources(
  gpuName: string | null,
  catalog: readonly NamedSystemFile[],
): Record<string, string> {
  const [known] = systemsOfGpu(catalog, gpuName);
  if (known === undefined) return { link: 'no system file names this GPU: counted as PCIe' };
  const { link, peakTflops } = known.file.sources;
  const said = (text: string | undefined): string => `system ${known.name}: ${text ?? 'it gives no source'}`;
  return { link: said(link), peakTflops: said(peakTflops) };
}

/** Four digits: no measurement here is better. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
