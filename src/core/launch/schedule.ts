import type { NodeLayout } from './layout.ts';

/** One host of a hostfile. */
export interface Host {
  /** What ssh is given. */
  readonly name: string;
  /** Chips of it that may be used. */
  readonly slots: number;
}

/** Hosts reached by ssh; the run folder lies on a file system that all of them share. */
export interface HostfileSchedule {
  readonly scheduler: 'hostfile';
  readonly layout: NodeLayout;
  /** The hosts that take part, node rank 0 first. */
  readonly hosts: readonly Host[];
  /** Address of node rank 0 as the others see it. */
  readonly masterAddress: string;
}

/** A batch job of Slurm, or a step in an allocation that exists. */
export interface SlurmSchedule {
  readonly scheduler: 'slurm';
  readonly layout: NodeLayout;
  /** sbatch options by their long name without dashes, in the order of the script; '' is an option without a value. */
  readonly options: Readonly<Record<string, string>>;
  /** Shell lines before the run on every node. */
  readonly setup: readonly string[];
  /** Whether srun binds ranks to cores. */
  readonly bindCores: boolean;
  /** Job id of an allocation to run in, as a step; null submits a batch job. */
  readonly allocation: string | null;
}

/** Where a run gets its machines; a plan without one runs on this machine. */
export type Schedule = HostfileSchedule | SlurmSchedule;
