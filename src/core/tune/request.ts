import type { Case, ModeName, ModelShape } from '../experiment/case.ts';
import type { Objective, TuneBudget } from './tuning.ts';

/** What a user asks `tune` for. */
export interface TuneRequest {
  readonly objective: Objective;
  readonly budget: TuneBudget;
  /**
   * All that tuning leaves alone: workload, chips, global batch, sequence, dtype, clipping, dropout, seed, data, steps of a
   * trial, and every `--ds` of the user's. Its model, mode, ratio, micro-batch and recomputation are not read, but for
   * what `fixed` names.
   */
  readonly base: Case;
  /** `throughput` is asked of one size at a time; `size` of all that may be it. */
  readonly models: readonly ModelShape[];
  /** From {@link modesToTune}; null: all. */
  readonly modes: readonly ModeName[] | null;
  readonly fixed: FixedSettings;
  /** `--exclusive-host`: the whole host's memory. */
  readonly exclusiveHost: boolean;
  /** NUMA nodes with cores of their own; null where nobody looked. */
  readonly numaNodes: number | null;
  /** The installed DeepSpeed has this project's overlay; without it prism_overlap is not there. */
  readonly hasOverlay: boolean;
}

/** What the user has set by a flag, and so is not tuned; null: tuned. */
export interface FixedSettings {
  readonly microBatch: number | null;
  readonly activationCheckpointing: boolean | null;
  readonly activationOffload: boolean | null;
  readonly ratio: number | null;
  readonly bindCores: boolean | null;
}
