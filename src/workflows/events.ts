import type { IterationEvent, Outcome } from '../core/logs/events.ts';

/** What long work tells its audience. Workflows emit these; only the CLI draws them. */
export type ProgressEvent =
  /** A step of an install or a check: `id` ties its lines together. */
  | {
      readonly type: 'task';
      readonly id: string;
      readonly state: 'start' | 'done' | 'failed';
      readonly message: string;
      readonly elapsedMs?: number;
    }
  /** The newest line of output of the task that is running. */
  | { readonly type: 'task-output'; readonly id: string; readonly line: string; readonly elapsedMs: number }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'warning'; readonly message: string; readonly hint?: string }
  | {
      readonly type: 'run-started';
      readonly runId: string;
      readonly title: string;
      readonly index: number;
      readonly total: number;
    }
  | {
      readonly type: 'run-step';
      readonly runId: string;
      readonly step: IterationEvent;
      readonly plannedSteps: number | null;
      readonly tflopsPerGpu: number | null;
      /** Memory of the machine in use at the newest sample, GiB. */
      readonly hostGiB: number | null;
      /** Memory in use on the fullest GPU of the run at the newest sample, GiB. */
      readonly gpuGiB: number | null;
      readonly elapsedMs: number;
      readonly remainingMs: number | null;
    }
  /** A scheduler holds the run back; told whenever the reason changes. */
  | {
      readonly type: 'run-waiting';
      readonly runId: string;
      readonly waitingFor: string;
      readonly elapsedMs: number;
    }
  | {
      readonly type: 'run-ended';
      readonly runId: string;
      /** Where runs go on at the same time, and the line of its start is not the one before. */
      readonly title?: string;
      readonly outcome: Outcome;
      readonly medianStepMs: number | null;
      readonly elapsedMs: number;
    }
  | CampaignEvent;

/** How far a campaign is. */
export interface CampaignEvent {
  readonly type: 'campaign';
  readonly name: string;
  /** Cells in all; each of them is one of the four that follow. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly left: number;
  /** Launches that count, of those wanted: more than cells where each is launched several times. */
  readonly launches: { readonly done: number; readonly total: number };
  /** Of the running ones those that a scheduler holds back, and what the newest of them waits for. */
  readonly waiting: number;
  readonly waitingFor: string | null;
  /** Wall time until all is done; null where nothing is known of what is left. */
  readonly remainingMs: number | null;
  /** null when a run has ended: that deserves a line of its own. Else what is newest of the runs. */
  readonly live: { readonly title: string; readonly step: RunStepEvent | null } | null;
}

export type RunStepEvent = Extract<ProgressEvent, { readonly type: 'run-step' }>;

export type Emit = (event: ProgressEvent) => void;
