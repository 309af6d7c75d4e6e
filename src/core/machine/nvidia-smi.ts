/** The nvidia-smi queries this tool makes, and how their CSV answers are read. */
import type { GpuFacts } from './facts.ts';

const gpuFields = [
  'index',
  'uuid',
  'name',
  'memory.total',
  'memory.used',
  'compute_cap',
  'driver_version',
  'clocks.sm',
  'clocks.max.sm',
  'clocks.mem',
  'power.limit',
  'power.default_limit',
] as const;

export const gpuQuery = [`--query-gpu=${gpuFields.join(',')}`, '--format=csv,noheader,nounits'] as const;
export const processQuery = ['--query-compute-apps=gpu_uuid,pid', '--format=csv,noheader,nounits'] as const;

/**
 * @param gpus answer to {@link gpuQuery}.
 * @param processes answer to {@link processQuery}.
 * @param visible CUDA_VISIBLE_DEVICES: what it hides is not there for a run.
 * @returns the GPUs that a run can use, in the order in which CUDA counts them.
 */
export function parseGpus(gpus: string, processes: string, visible?: string): GpuFacts[] {
  const busy = rows(processes).map(([uuid]) => uuid);
  const all = rows(gpus).filter((row) => row.length === gpuFields.length);
  return visibleRows(all, visible).map((row) => {
    const text = (name: (typeof gpuFields)[number]): string | null => known(row[gpuFields.indexOf(name)]);
    const number = (name: (typeof gpuFields)[number]): number | null => {
      const value = Number(text(name) ?? Number.NaN);
      return Number.isFinite(value) ? value : null;
    };
    return {
      index: number('index') ?? 0,
      name: text('name') ?? 'unknown GPU',
      memoryMiB: number('memory.total') ?? 0,
      usedMiB: number('memory.used'),
      computeCapability: text('compute_cap'),
      driverVersion: text('driver_version'),
      smClockMHz: number('clocks.sm'),
      maxSmClockMHz: number('clocks.max.sm'),
      memoryClockMHz: number('clocks.mem'),
      powerLimitW: number('power.limit'),
      defaultPowerLimitW: number('power.default_limit'),
      computeProcesses: busy.filter((uuid) => uuid === text('uuid')).length,
    };
  });
}

/**
 * CUDA C++ Programming Guide, "CUDA Environment Variables": indices or starts of UUIDs; the first that names no GPU
 * hides itself and all behind it; an empty list hides all. A part of a GPU (`MIG-...`) is none of these rows, and
 * which GPU it is part of is not known here: then nothing is taken away.
 */
function visibleRows(all: readonly string[][], visible: string | undefined): readonly string[][] {
  if (visible === undefined || /(^|,)\s*MIG-/.test(visible)) return all;
  const [indexAt, uuidAt] = [gpuFields.indexOf('index'), gpuFields.indexOf('uuid')];
  const chosen: string[][] = [];
  for (const word of visible.split(',').map((text) => text.trim())) {
    const row = all.find((each) =>
      word.startsWith('GPU-') ? each[uuidAt]?.startsWith(word) : each[indexAt] === word,
    );
    if (row === undefined || chosen.includes(row)) break;
    chosen.push(row);
  }
  return chosen;
}

function rows(csv: string): string[][] {
  return csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()));
}

/** nvidia-smi writes `[N/A]`, `[Not Supported]` or `[Insufficient Permissions]` for what it cannot say. */
function known(cell: string | undefined): string | null {
  return cell === undefined || cell === '' || /^\[.*\]$/.test(cell) ? null : cell;
}
