/** What a log line can say, whatever tool wrote it. Formats turn lines into these; the fold adds them up. */

/** One completed optimizer step. Times in milliseconds, null where the line does not say. */
export interface IterationEvent {
  readonly type: 'iteration';
  readonly iteration: number;
  /** The iteration at which the log says it will end. */
  readonly plannedIterations: number | null;
  readonly stepMs: number | null;
  readonly loss: number | null;
  readonly lossScale: number | null;
  readonly gradNorm: number | null;
  readonly globalBatch: number | null;
  readonly sequenceLength: number | null;
  readonly skippedIterations: number;
  readonly nanIterations: number;
  /** TFLOPS per GPU as the log itself claims. */
  readonly loggedTflops: number | null;
  /** Samples of all ranks a second, where a line gives that instead of a step time (DeepSpeed's timer). */
  readonly samplesPerSecond?: number;
  /**
   * The line lacks fields that Megatron always writes behind the step time. Where other lines of the log have them,
   * two lines were joined and the step time may be another field's value.
   */
  readonly partial?: true;
}

/** Peak memory as a line says: of the whole run in the built-in trainer's final line, so far in Megatron's. */
export interface MemoryEvent {
  readonly type: 'memory';
  /** Highest rank, GiB. */
  readonly gpuAllocatedGiB: number | null;
  readonly gpuReservedGiB: number | null;
  /** All ranks of the node together, shared and pinned memory counted once, GiB. */
  readonly hostGiB: number | null;
  /** How the host figure was taken: `cgroup` or `pss`. */
  readonly hostSource: string | null;
}

export type LogEvent =
  | IterationEvent
  | MemoryEvent
  /** Named facts a program prints about itself (world size, parameters, versions, threads). */
  | { readonly type: 'facts'; readonly facts: Readonly<Record<string, string>> }
  /** A process left, as its launcher says: 0, a positive status, or minus the signal's number. */
  | { readonly type: 'exit'; readonly code: number }
  /** The run begins again: nothing before this line is of the life that its end is told of. */
  | { readonly type: 'put-back' }
  /** A line that was an iteration line once, but is cut or mixed with another rank's: no number of it is used. */
  | { readonly type: 'damaged' }
  /** The program said that it ended as it meant to. */
  | { readonly type: 'finished'; readonly iteration: number | null }
  /** A line that is evidence for an outcome class (core/logs/outcome.ts). */
  | {
      readonly type: 'evidence';
      readonly outcome: OutcomeClass;
      readonly rank: number | null;
      readonly line: string;
      /** True where the line says that another process failed: it never outranks that other's own words. */
      readonly cascade: boolean;
    };

export const outcomeClasses = [
  'ok',
  'gpu_oom',
  'host_oom',
  'shm_full',
  'nccl_timeout',
  'hang',
  'nan_or_inf',
  'loss_scale_floor',
  'time_limit',
  'preempted',
  'node_fail',
  'interrupted',
  'cancelled',
  'worker_dead',
  'config_error',
  'install_error',
  'launch_error',
  'killed_unknown',
  'crash',
  /** A log that stops without an end line and without any sign of a failure: cut, or still being written. */
  'incomplete',
  /** A row that could not run here, with the reason; no process was started. */
  'unsupported',
] as const;
export type OutcomeClass = (typeof outcomeClasses)[number];

/** How a run ended, and the proof for saying so. */
export interface Outcome {
  readonly class: OutcomeClass;
  /** One sentence for a person: why this class. */
  readonly reason: string;
  /** The log line that proves it, if a line does. */
  readonly evidence: string | null;
  readonly rank: number | null;
  /** What to do next, where something can be done. */
  readonly hint: string | null;
}

/** What a scheduler says about the end of a run; it outranks what the ranks say of their own deaths. */
export interface SchedulerVerdict {
  readonly class: 'time_limit' | 'preempted' | 'node_fail' | 'cancelled' | 'host_oom' | 'launch_error';
  /** The scheduler's own words, for example `Slurm job 12: TIMEOUT (TimeLimit)`. */
  readonly reason: string;
  /** What to do next, where that is another thing than for others of the class. */
  readonly hint?: string;
}

/** What the world outside the log says about how a run ended. Everything null when only a log is known. */
export interface ExitEvidence {
  /** Exit status of the run's own command, null when it died of a signal or is unknown. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Set by this tool before it stopped the run. */
  readonly stoppedBy: 'converged' | 'abandoned' | 'interrupted' | 'cancelled' | 'timeout' | 'hang' | null;
  /** oom_kill count after the run minus before; null where no counter could be read. */
  readonly oomKills: number | null;
  /** Peak host memory against its limit, GiB; null where unknown. */
  readonly peakHostGiB: number | null;
  readonly hostLimitGiB: number | null;
  /** Free bytes in /dev/shm at the end; null where unknown. */
  readonly shmFreeBytes: number | null;
  /** Planned last iteration; null for a log that this tool did not plan. */
  readonly plannedIterations: number | null;
  /** Planned world size; null when unknown. */
  readonly plannedWorldSize: number | null;
  /** What it was planned for; null when unknown, or when the command is the user's own. */
  readonly plannedAccelerator: 'cuda' | 'cpu' | null;
  /** True where the exit status is that of the node or task that failed first, and others were ended because of it. */
  readonly failedFirst?: boolean;
  /** null or absent where no scheduler had anything to say. */
  readonly scheduler?: SchedulerVerdict | null;
}
