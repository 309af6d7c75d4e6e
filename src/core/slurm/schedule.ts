import type { Fault } from '../../errors.ts';
import type { LauncherName, System } from '../experiment/case.ts';
import type { NodeLayout } from '../launch/layout.ts';
import type { SlurmSchedule } from '../launch/schedule.ts';
import type { SchedulingFlags } from '../launch/scheduling-flags.ts';
import { sbatchOptions, type SbatchOptions } from './options.ts';
import { limitSeconds } from './time-limit.ts';

export interface SlurmRequest {
  readonly system: System;
  readonly layout: NodeLayout;
  readonly flags: SchedulingFlags;
  readonly launcher: LauncherName;
  /** The run takes whole nodes and all of their memory. */
  readonly exclusiveHost: boolean;
  /** Job id of an allocation that the run is to be a step of; `--slurm jobid=N` says the same. */
  readonly allocation?: string | null;
}

export type SlurmScheduleResult =
  | { readonly ok: true; readonly schedule: SlurmSchedule }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * What a run asks Slurm for: its layout, its share of each node, what the site and the user add. Pure: whether the
 * cluster has it is asked by workflows/slurm/require-slurm.ts.
 */
export function slurmSchedule(request: SlurmRequest): SlurmScheduleResult {
  const { system, layout, flags } = request;
  const read = sbatchOptions(system.site.slurm, flags);
  if (!read.ok) return read;
  const { jobid, ...asked } = read.options;
  if (jobid !== undefined && !/^\d+$/.test(jobid)) {
    const fault = { place: `--slurm jobid=${jobid}`, problem: 'is no job id', expected: 'a number' };
    return { ok: false, faults: [fault] };
  }
  return {
    ok: true,
    schedule: {
      scheduler: 'slurm',
      layout,
      options: { ...layoutOptions(request, asked), ...limitOptions(asked), ...asked },
      setup: system.site.setup,
      bindCores: system.site.binding === 'srun',
      allocation: jobid ?? request.allocation ?? null,
    },
  };
}

/** What is counted out for a node: tasks, cores, GPUs, memory; each only where the user or the site says nothing. */
function layoutOptions(
  { system, layout, launcher, exclusiveHost }: SlurmRequest,
  asked: SbatchOptions,
): SbatchOptions {
  const tasks = launcher === 'srun' ? layout.ranksPerNode : 1;
  const share = exclusiveHost ? system.chipsPerNode : layout.ranksPerNode;
  // Slurm gives a task one core unless told, and Adam on the CPU would crawl.
  const cores = Math.max(1, Math.floor((system.cores * share) / system.chipsPerNode / tasks));
  const says = (...names: readonly string[]): boolean => names.some((name) => asked[name] !== undefined);
  const memory = says('mem', 'mem-per-cpu', 'mem-per-gpu') ? null : memoryOf(system, share);
  const isWhole = exclusiveHost && !says('exclusive');
  return {
    nodes: String(layout.nodes),
    'ntasks-per-node': String(tasks),
    ...(says('cpus-per-task', 'cpus-per-gpu') ? {} : { 'cpus-per-task': String(cores) }),
    ...(system.accelerator === 'cpu' || says('gpus', 'gpus-per-node', 'gpus-per-task', 'gres')
      ? {}
      : { 'gpus-per-node': String(layout.ranksPerNode) }),
    ...(memory === null ? {} : { mem: memory }),
    ...(isWhole ? { exclusive: '' } : {}),
  };
}

/**
 * The run's share of a node's memory: all of it (`0`) for whole nodes. Only of a system that describes this very
 * cluster: of any other the memory of the machine that asks would be counted.
 */
function memoryOf({ site, chipsPerNode, hostGiBPerChip }: System, share: number): string | null {
  if (share >= chipsPerNode) return site.scheduler === 'slurm' ? '0' : null;
  if (site.scheduler !== 'slurm' || hostGiBPerChip === null) return null;
  return `${Math.floor(hostGiBPerChip * share)}G`;
}

/** The signal comes up to a minute early (sbatch(1), --signal): of a short job it may take a tenth. */
const signalSeconds = 60;

function limitOptions(asked: SbatchOptions): SbatchOptions {
  const limit = limitSeconds(asked['time'] ?? '0') ?? null;
  const lead = limit === null ? signalSeconds : Math.min(signalSeconds, Math.ceil(limit / 10));
  const requeues = asked['requeue'] !== undefined || asked['no-requeue'] !== undefined;
  return {
    ...(requeues ? {} : { 'no-requeue': '' }),
    ...(asked['signal'] === undefined ? { signal: `B:USR1@${lead}` } : {}),
    ...(asked['kill-on-invalid-dep'] === undefined ? { 'kill-on-invalid-dep': 'yes' } : {}),
  };
}
