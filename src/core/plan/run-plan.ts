import type { BindingName, Case, System, WorkloadName } from '../experiment/case.ts';
import type { Schedule } from '../launch/schedule.ts';
import type { MachineFacts } from '../machine/facts.ts';
import type { UpstreamName } from '../upstreams/upstream.ts';

/** The stack a run used, as far as it decides behaviour: the lock itself stays in the stack's folder. */
export interface StackReference {
  readonly name: string;
  /** Hash of the lock: two runs with equal hashes ran the same software. */
  readonly hash: string;
  readonly torch: string;
  readonly deepspeed: string;
  /** What was installed from source, or patched; absent in records of before it could be. */
  readonly upstreams?: Readonly<Partial<Record<UpstreamName, UpstreamReference>>>;
  /** How the names that Megatron imports from Apex are there; null without Megatron, absent in older records. */
  readonly apex?: 'overlay' | 'build' | null;
  /** How the stack differed from what was installed, where the user allowed it: one line a difference. */
  readonly drift?: readonly string[];
}

/** One upstream in short: enough to tell two runs apart, and to find the sources. */
export interface UpstreamReference {
  /** null for a package of the index, which has a version instead. */
  readonly commit: string | null;
  readonly version: string | null;
  /** Patches of this project that were applied. */
  readonly patches: number;
  /** It has local changes of the user's. */
  readonly dirty: boolean;
}

/** The data set that a run reads, and what it must be for that. */
export interface PlannedData {
  /** Absolute, of PREFIX.bin and PREFIX.idx. */
  readonly prefix: string;
  /** Every token id must be below it. */
  readonly vocabulary: number;
  /** The fewest tokens that make one sample. */
  readonly tokens: number;
  /** Made before the run when it is not there; null for a data set of the user's. */
  readonly synthetic: { readonly vocabulary: number; readonly tokens: number; readonly seed: number } | null;
}

export interface RunLimits {
  /** Wall time of the whole run; null is no limit. */
  readonly timeoutMs: number | null;
  /** Time until the first completed step (imports, ops, sharding, pinning of memory); null is no limit. */
  readonly firstStepMs: number | null;
  /** A run is hung when no step completed for this many median steps ... */
  readonly stallFactor: number;
  /** ... and at least this long; null is no limit. */
  readonly minStallMs: number | null;
}

/** Which cores and which memory the ranks of a run get: on a superchip it decides as much as the mode does. */
export interface Placement {
  readonly binding: BindingName;
  /** NUMA nodes that host memory is taken from; null takes any. */
  readonly hostNumaNodes: readonly number[] | null;
  /** `--exclusive-host`: all of the node's host memory and cores, on however few chips. */
  readonly exclusiveHost: boolean;
  /** What the run may use of each node's host memory, GiB; null where the system does not say. */
  readonly hostGiB: number | null;
  /** This machine's, where the run takes place here; null on others. */
  readonly machine: Pick<MachineFacts, 'numa' | 'pageBytes' | 'coherentGpuMemoryMode'> | null;
}

/** Everything that one run will do, as data: printed by --dry-run, written to the run folder, replayed from there. */
export interface RunPlan {
  readonly schemaVersion: 1;
  readonly experiment: string;
  readonly caseId: string;
  /** One line for a person. */
  readonly title: string;
  readonly workload: WorkloadName;
  /** null for a `command` workload: nothing is known about its model. */
  readonly case: Case | null;
  readonly system: System;
  /** True where the numbers say nothing about a GPU: a run on CPU ranks. */
  readonly functional: boolean;
  readonly stack: StackReference | null;
  readonly worldSize: number;
  /** Absent: the run takes place on this machine. */
  readonly schedule?: Schedule;
  /** Absent for a `command` workload, and in plans of before it was kept. */
  readonly placement?: Placement;
  /** What is run: by this machine, or by every node of the schedule (by every rank with srun). */
  readonly command: readonly string[];
  /** What this tool sets on top of the user's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What it takes out of the user's environment. */
  readonly unset: readonly string[];
  /** Rendezvous of the ranks; null where the command is the user's own. Chosen anew for every attempt. */
  readonly port: number | null;
  /** Absolute, or null for the run folder itself. */
  readonly cwd: string | null;
  /** Absent where the run generates its own, and for a `command` workload. */
  readonly data?: PlannedData;
  /** Files written into the run folder before the start: name -> content. */
  readonly files: Readonly<Record<string, string>>;
  /** Optimizer steps the run will do if nothing stops it; null for a `command` workload. */
  readonly steps: number | null;
  /** Stop once the 95% interval's half width is within this share of the median; null runs all steps. */
  readonly maxError: number | null;
  /** Stop once its steps lie above this for certain, milliseconds (core/stats/above.ts): a trial of `tune` that cannot
   * be the best any more. Absent: never. */
  readonly abandonAboveMs?: number;
  readonly limits: RunLimits;
  readonly warnings: readonly string[];
}

export const defaultLimits: RunLimits = {
  timeoutMs: null,
  // 107 s were seen at 5.3e9 parameters on an H200; hundreds of GiB of pinning take longer.
  firstStepMs: 15 * 60_000,
  stallFactor: 20,
  minStallMs: 120_000,
};

/** The same plan with another rendezvous port: ports are free or not at the moment of the start. */
export function withPort(plan: RunPlan, port: number): RunPlan {
  if (plan.port === null) return plan;
  // A schedule's nodes are told at their start: the command holds a placeholder.
  if (plan.schedule !== undefined) return { ...plan, port };
  const old = String(plan.port);
  return {
    ...plan,
    port,
    command: plan.command.map((word) =>
      /^--master[-_]port=/.test(word) && word.endsWith(`=${old}`) ? word.replace(old, String(port)) : word,
    ),
    env: 'MASTER_PORT' in plan.env ? { ...plan.env, MASTER_PORT: String(port) } : plan.env,
  };
}
