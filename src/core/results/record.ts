import type { Case, System, WorkloadName } from '../experiment/case.ts';
import type { ExitEvidence, Outcome } from '../logs/events.ts';
import type { Placement, StackReference } from '../plan/run-plan.ts';
import type { StepStatistics } from '../stats/steps.ts';

/** A figure with how it was taken: a number nobody can explain is worth nothing. */
export interface Throughput {
  /** Recomputation excluded, per chip: what the paper's Figures 10 and 11 show. */
  readonly modelTflopsPerGpu: number | null;
  /** Recomputation counted, per chip: what Megatron prints. */
  readonly hardwareTflopsPerGpu: number | null;
  /** Name of the FLOP formula (core/model/shape.ts). */
  readonly formula: string | null;
  /** Model FLOPs utilization, 0 to 1, against the system's peak; null where the peak is unknown. */
  readonly mfu: number | null;
  readonly tokensPerSecond: number | null;
  /** Median of what the log itself claims, per GPU. */
  readonly loggedTflopsPerGpu: number | null;
}

export interface MemoryUse {
  /** Peak of the fullest rank, GiB, as PyTorch's allocator counts it. */
  readonly gpuAllocatedGiB: number | null;
  readonly gpuReservedGiB: number | null;
  /** Peak of all processes of the run, shared and pinned memory counted once, GiB. */
  readonly hostGiB: number | null;
  /** `cgroup`, `pss` (the trainer's own) or `pss-sampled` (this tool's). */
  readonly hostSource: string | null;
  /** Peak of the whole machine's memory in use minus its start, GiB. */
  readonly machineGiB: number | null;
}

/** What the machine did meanwhile. Every field null where it could not be read. */
export interface Conditions {
  readonly loadAverageBefore: number | null;
  readonly loadAverageAfter: number | null;
  /** Tasks that were running on the machine just before the start, this tool not counted. */
  readonly runningTasksBefore: number | null;
  readonly cpuAdamThreads: number | null;
  readonly gpu: GpuConditions | null;
}

export interface GpuConditions {
  /** Median SM clock over the samples with load, MHz, and the highest the card allows. */
  readonly smClockMhz: number | null;
  readonly maxSmClockMhz: number | null;
  readonly powerCapWatt: number | null;
  readonly maxTemperatureC: number | null;
  /** Reasons for throttling seen in any sample, by the driver's names. */
  readonly throttleReasons: readonly string[];
  readonly samples: number;
}

/** Which superoffload made a record: the version, and in a clone the commit. */
export interface ToolIdentity {
  readonly version: string;
  readonly commit: string | null;
  readonly dirty: boolean | null;
}

/** The variables of a launch that may change its speed, secrets hidden, and eight digits over them. */
export interface LaunchEnvironment {
  readonly hash: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** One attempt at a case, in full. Raw step times are kept: statistics can be taken again, runs cannot. */
export interface RunRecord {
  readonly schemaVersion: 1;
  readonly runId: string;
  /** null where the run folder does not say. */
  readonly tool: ToolIdentity | null;
  readonly experiment: string;
  readonly caseId: string;
  readonly title: string;
  readonly workload: WorkloadName;
  readonly case: Case | null;
  readonly system: System;
  readonly functional: boolean;
  readonly stack: StackReference | null;
  readonly worldSize: number;
  /** Cores and memory that the ranks got; absent in records of before it was kept. */
  readonly placement?: Placement;
  /**
   * Eight digits over the DeepSpeed JSON (core/experiment/case-id.ts): a file of the user's may differ where the case does
   * not. null without one, and in records of before it was kept.
   */
  readonly deepspeedHash: string | null;
  /** Absent in records of before it was kept, and of runs whose folder does not say. */
  readonly environment?: LaunchEnvironment;
  readonly startedUtc: string;
  readonly endedUtc: string | null;
  readonly durationMs: number | null;
  readonly outcome: Outcome;
  readonly exit: ExitEvidence;
  readonly lastIteration: number | null;
  readonly statistics: StepStatistics | null;
  /** Every step time of the log in order, warm-up included, milliseconds; without the one of `traced`. */
  readonly stepMs: readonly number[];
  /** The step whose timeline was asked for, from 1, and what it took; null where the run ended before it. */
  readonly traced?: { readonly iteration: number; readonly stepMs: number | null };
  readonly throughput: Throughput;
  readonly memory: MemoryUse;
  readonly firstLoss: number | null;
  readonly lastLoss: number | null;
  readonly skippedIterations: number;
  /**
   * Share of the steps whose gradients were clipped, 0 to 1: with SuperOffload each of them takes a step back. 0 without
   * clipping; null where the log has no norms; absent in records of before it was kept.
   */
  readonly clipRate?: number | null;
  /**
   * It was stopped early, because its steps stayed above this, milliseconds: it could not be the fastest of its tuning any
   * more. Its step times are true and too few: it counts as no measurement (core/results/summarize.ts). Absent otherwise.
   */
  readonly abandoned?: { readonly aboveMs: number };
  readonly facts: Readonly<Record<string, string>>;
  readonly conditions: Conditions;
  readonly warnings: readonly string[];
  /** True when it was rebuilt from the log after the tool itself had been killed. */
  readonly recovered: boolean;
}
