import type { Case, ModeName } from '../experiment/case.ts';
import type { Wall } from '../search/frontier.ts';
import type { Capacity } from '../search/predicted-edge.ts';

/** The words of tuning: what may be tried, what was tried, what comes next. Plain data; the rules lie beside it. */

/** `throughput`: the most TFLOPS a GPU for one model. `size`: the largest model that trains. */
export const objectives = ['throughput', 'size'] as const;
export type Objective = (typeof objectives)[number];

/** What a tuning may not go beyond. */
export interface TuneBudget {
  readonly maxTrials: number;
  readonly maxMinutes: number;
  /** Memory that the choice leaves free, as a share of what there is, of the GPU's and of the host's: 0.05 is 5%. */
  readonly memoryMargin: number;
}

/**
 * A configuration that is predicted to fit with the margin, by the formulas or by what trials of its mode have shown of
 * them. Memory in GiB: a chip of the GPU, a node of the host.
 */
export interface Candidate {
  readonly subject: Case;
  /** It is launched with `--bind-cores`; beside the case, this is what a trial is known by ({@link candidateKey}). */
  readonly bindCores: boolean;
  /** null where the system's rates do not say (a CPU rank, a new machine): then the order is that of the rules. */
  readonly predictedStepMs: number | null;
  /** What candidates are ordered by: `predictedStepMs`, or the same formulas with assumed rates (assumed-rates.ts). */
  readonly orderMs: number;
  /** Expected of the whole launch of `subject.steps` steps, start and end included. */
  readonly launchSeconds: number;
  /** What PyTorch reserves: what must fit, and what `nvidia-smi` shows. */
  readonly gpuGiB: number;
  readonly hostGiB: number;
  /** In words, what sets it apart: `everything fits on the GPU`, `ratio 0.85: the GPU has room for 15% of the optimizer`. */
  readonly why: readonly string[];
}

/** A configuration that is not tried, and why, in words: `needs 132 GiB of host memory, 119.6 are there with the margin`. */
export interface Rejected {
  readonly subject: Case;
  readonly reason: string;
}

/** What one launch has shown. */
export type TrialResult =
  | {
      readonly kind: 'measured';
      /** Of one step; the interval is of the median within the run. */
      readonly medianStepMs: number;
      readonly lowStepMs: number | null;
      readonly highStepMs: number | null;
      /** Model TFLOPS a GPU, recomputation excluded. */
      readonly tflopsPerGpu: number;
      /** Peaks; null where nobody measured them. Of the GPU what PyTorch reserved and needs (trial-result.ts). */
      readonly gpuGiB: number | null;
      readonly hostGiB: number | null;
      /** False: it was stopped early, because it could not be the best any more. */
      readonly isWhole: boolean;
    }
  | { readonly kind: 'memory'; readonly wall: Wall }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The minutes of the tuning were over before it was measured: it says nothing, and is tried again another time. */
  | { readonly kind: 'unfinished'; readonly reason: string };

/** A launch whose steps were timed, whole or not. */
export type MeasuredResult = Extract<TrialResult, { readonly kind: 'measured' }>;

export interface Trial {
  /** Index into the candidates. */
  readonly candidate: number;
  readonly result: TrialResult;
  readonly runId: string;
  /** Of the whole launch, start and end included. */
  readonly seconds: number;
  /** Run by an earlier command: it counts as known, not as a trial of this one. */
  readonly isStored: boolean;
}

/** The search so far. */
export interface Tuning {
  readonly objective: Objective;
  readonly budget: TuneBudget;
  /** What there is: a chip of the GPU, a node of the host; null where unknown. */
  readonly capacity: Capacity;
  readonly candidates: readonly Candidate[];
  readonly trials: readonly Trial[];
  /** Minutes that this command has spent. */
  readonly minutes: number;
}

/** What is to be done next. */
export type NextTrial =
  | {
      readonly type: 'trial';
      readonly candidate: number;
      /** In words: `predicted best`, `the same with more on the GPU: 9 GiB are free there`. */
      readonly why: string;
      /** A step that stays above this cannot be the best any more: the run may stop early. null: run it whole. */
      readonly abandonAboveMs: number | null;
    }
  | { readonly type: 'done'; readonly best: number | null; readonly why: string };

/** One line of the explanation: a mode that was considered, and what speaks for or against it. */
export interface Verdict {
  readonly mode: ModeName;
  readonly text: string;
}
