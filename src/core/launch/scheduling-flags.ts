import type { SchedulerName } from '../experiment/case.ts';

/** The flags that say where runs take place; absent means the system's own. */
export interface SchedulingFlags {
  readonly scheduler?: SchedulerName;
  /** Path of a hostfile; implies the scheduler `hostfile`. */
  readonly hostfile?: string;
  /** sbatch options by long name: partition, account, time, qos, reservation, nodelist, exclude, constraint. */
  readonly slurm?: Readonly<Record<string, string>>;
  /** `--slurm KEY=VALUE` words, each any other option of sbatch. */
  readonly slurmWords?: readonly string[];
  /** A run on fewer chips than the node has takes all of the node's host memory. */
  readonly exclusiveHost?: boolean;
}
