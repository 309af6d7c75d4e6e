import type { RunRecord } from '../results/record.ts';
import type { RunEnd } from '../results/run-end.ts';

/** One run as a line of a table. Everything that is not known is null; every number is finite. */
export interface RunRow {
  readonly runId: string;
  readonly record: RunRecord;
  /** The run's folder as an address relative to the report's; null where only the record is there. */
  readonly folder: string | null;
  /** A word for the machine: what the filter and the tables call it. */
  readonly system: string;
  readonly experiment: string;
  readonly mode: string;
  readonly model: string;
  readonly chips: number;
  /** Micro-batch x accumulation, of one rank. */
  readonly batch: string | null;
  readonly sequenceLength: number | null;
  readonly stepMs: number | null;
  readonly lowMs: number | null;
  readonly highMs: number | null;
  /** Of that interval, 0 to 1. */
  readonly confidence: number | null;
  /** Per chip, recomputation excluded; of a command what its log claims. */
  readonly tflopsPerGpu: number | null;
  readonly mfu: number | null;
  readonly tokensPerSecond: number | null;
  readonly gpuGiB: number | null;
  readonly hostGiB: number | null;
  readonly lastLoss: number | null;
  readonly outcome: RunEnd;
  /** The log line that proves the outcome, else the reason for it. */
  readonly proof: string;
}

/** What ran on one machine. */
export interface SystemSummary {
  readonly name: string;
  readonly hardware: string;
  /** True where the runs were on CPUs: they show that it works, not how fast it is. */
  readonly functional: boolean;
  readonly runs: number;
  readonly firstUtc: string;
  readonly lastUtc: string;
  /** torch and DeepSpeed of its stacks. */
  readonly software: readonly string[];
  readonly outcomes: readonly (readonly [RunEnd, number])[];
}

/** How much faster one mode is than another in the same experiment. */
export interface RatioRow {
  readonly system: string;
  readonly functional: boolean;
  /** What both ran: model, chips, batch, sequence, dtype. */
  readonly what: string;
  readonly mode: string;
  readonly baseline: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** `95% between 3 launches`, `within one run each`. */
  readonly basis: string;
  readonly unfair: readonly string[];
  /** The run that stands for the mode. */
  readonly runId: string;
}

/** What memory held, of one mode: the largest model, the longest sequence. */
export interface LimitRow {
  readonly system: string;
  readonly experiment: string;
  readonly mode: string;
  readonly chips: number;
  /** What the search held fixed: `sequence 2048, bf16`. */
  readonly at: string;
  readonly largest: string | null;
  readonly largestRunId: string | null;
  readonly smallestFailed: string | null;
  readonly failedRunId: string | null;
  readonly failure: RunEnd | null;
}

/** All that the pages, the Markdown and the CSV say. */
export interface ReportData {
  readonly tool: string;
  readonly createdUtc: string;
  /** What `--from` named. */
  readonly sources: readonly string[];
  readonly notes: readonly string[];
  /** Newest first. */
  readonly runs: readonly RunRow[];
  readonly systems: readonly SystemSummary[];
  readonly outcomes: readonly (readonly [RunEnd, number])[];
  /** Largest first. */
  readonly ratios: readonly RatioRow[];
  readonly limits: readonly LimitRow[];
}

/** What lies in a run's folder beside the record; null where it does not. */
export interface RunDetails {
  /** One of so many runs that its page says only what the run's folder does not. */
  readonly brief: boolean;
  readonly configuration: Configuration;
  readonly losses: readonly number[];
  /** Why there is no curve although the run computed losses. */
  readonly lossNote: string | null;
  /** Names of what the folder holds, as far as it is linked. */
  readonly files: readonly string[];
}

/** How a run was configured and started. */
export type Configuration =
  | {
      readonly kind: 'shown';
      /** Redacted, as a shell takes it. */
      readonly command: string | null;
      /** ds_config.json. */
      readonly deepspeed: string | null;
    }
  /** As another run, whose page shows it, but for the port. */
  | { readonly kind: 'same'; readonly runId: string }
  /** In the files of the run: a long report copies only so much. */
  | { readonly kind: 'linked' }
  /** Only the record was given. */
  | { readonly kind: 'none' };
