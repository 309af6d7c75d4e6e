import type { ModeName } from '../../experiment/case.ts';
import type { FigureData, MarkRatio, MarkState } from '../figure-data.ts';

/** One setting of an ablation: what was measured, predicted and published of it. */
export interface AblationRow {
  /** Name of the size. */
  readonly model: string;
  /** Rows that are compared with the first of them. */
  readonly group: string;
  readonly title: string;
  readonly mode: ModeName;
  /** Dotted keys of the DeepSpeed JSON that differ from the mode's own. */
  readonly deepspeed: Readonly<Record<string, unknown>>;
  readonly state: MarkState;
  /** Model TFLOPS a chip, recomputation excluded. */
  readonly tflops: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** How the interval was taken. */
  readonly basis: string | null;
  /** Median step, milliseconds. */
  readonly stepMs: number | null;
  /** Peaks, GiB. */
  readonly gpuGiB: number | null;
  readonly hostGiB: number | null;
  /** Speed against the first of the group, of launches that were made together. */
  readonly ratio: MarkRatio | null;
  /** TFLOPS; null where the model does not know the setting. */
  readonly predicted: number | null;
  /** The paper's row, its TFLOPS, and its speed against the paper's first. */
  readonly published: { readonly name: string; readonly tflops: number; readonly ratio: number } | null;
  readonly runIds: readonly string[];
  readonly notes: readonly string[];
}

/** An ablation of one machine: the table, and the picture of the same numbers. */
export interface AblationData {
  readonly schemaVersion: 1;
  readonly rows: readonly AblationRow[];
  readonly picture: FigureData;
}
