import type { Resource } from '../../model/limits.ts';
import type { VisiblePart } from './visible-parts.ts';

/**
 * A picture of one optimizer step: what the host, the GPU, the link and CPU Adam do when, of one or several modes one
 * above another. A sibling of `FigureData`: nothing in it is a bar of the paper's.
 */
export interface TimelineData {
  readonly schemaVersion: 1;
  readonly figure: 'timeline';
  /** `One optimizer step of 2B`. */
  readonly title: string;
  /** `2B`; null where they differ in it. */
  readonly size: string | null;
  /** What all of them have in common: `batch 8`, `sequence 1024`, `bf16`. */
  readonly conditions: readonly string[];
  readonly system: { readonly name: string; readonly title: string };
  /** True where the runs were on CPUs: they show that it works, not how fast it is. */
  readonly functional: boolean;
  /** Where the time axis ends, for all of them. */
  readonly axisMs: number;
  readonly rows: readonly TimelineRow[];
  /** Said below the picture: where the limits come from, what could not be computed. */
  readonly footnotes: readonly string[];
  /** The version of this tool. */
  readonly tool: string;
}

/** One step of one run. */
export interface TimelineRow {
  /** null of a folder without a record. */
  readonly runId: string | null;
  /** A mode's name; null where the DeepSpeed JSON is of none. */
  readonly mode: string | null;
  /** Different from every other row's. */
  readonly title: string;
  /** Which step of the run was watched, from 1. */
  readonly iteration: number;
  readonly stepMs: number;
  /** Median of the run's other steps after warm-up; null where nothing says. */
  readonly usualStepMs: number | null;
  readonly lanes: readonly Lane[];
  readonly partMs: PartMs;
  /** From the end of the last CPU Adam that counts to the last copy to the GPU; null without either. */
  readonly afterAdamMs: number | null;
  readonly bounds: Bounds | null;
}

/** `idle` is about those before it; those after it tell what the time went to instead. */
export const laneKeys = [
  'host',
  'gpu',
  'down',
  'up',
  'adam',
  'waits',
  'idle',
  'gradients',
  'passes',
  'queue',
  'workerCopy',
  'weights',
  'hostWaits',
] as const;
export type LaneKey = (typeof laneKeys)[number];

export interface Lane {
  readonly key: LaneKey;
  /** How long anything of it was going on. */
  readonly busyMs: number;
  /** Of the step, 0 to 1. */
  readonly share: number;
  /** Its first beginning and last end. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly groups: readonly LaneGroup[];
  /** For the picture: what of it can be seen. */
  readonly parts: readonly VisiblePart[];
}

/** What a lane's time went to: a phase of the host, copies from one kind of memory. */
export interface LaneGroup {
  readonly kind: string;
  readonly ms: number;
  /** null for what is no copy. */
  readonly bytes: number | null;
  /** While a copy runs; null for what is no copy. */
  readonly gbps: number | null;
}

export const partKeys = [
  'forward',
  'backward',
  'step',
  'gradientCopies',
  'gradientPasses',
  'queue',
  'workerCopy',
  'adam',
  'parameterReturn',
  'adamWaits',
  'waitsForAdam',
  'waitsForCopies',
] as const;
export type PartKey = (typeof partKeys)[number];

/**
 * How long each part of a step was going on, milliseconds, in the same words for every mode. Parts go on at the same
 * time: they do not add up to the step. null: the mode has no such part, or nobody recorded it.
 */
export type PartMs = Readonly<Record<PartKey, number | null>>;

/** The least time of the step by what the machine was measured to do (core/model/limits.ts). */
export interface Bounds {
  readonly computeMs: number;
  readonly hostMs: number;
  readonly linkMs: number;
  /** The busiest of the three alone, without a pause. */
  readonly limitMs: number;
  readonly limitedBy: Resource;
  /** While the next forward pass waits for all weights. */
  readonly dependentMs: number;
}
