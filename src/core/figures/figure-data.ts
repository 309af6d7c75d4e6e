import type { Wall } from '../search/frontier.ts';

/** The paper's figures that this tool repeats. */
export const figureNumbers = [10, 11, 12, 13] as const;
export type FigureNumber = (typeof figureNumbers)[number];
/** Figures of this form: those of the paper, and its Table 2 drawn as one. */
export type FigureKey = FigureNumber | 'ablation';

/** Where a mark comes from: a run, core/model's prediction, or the paper. Never mixed in one mark. */
export type MarkSource = 'measured' | 'predicted' | 'published';

/**
 * `value`: there is a number. `oom`: memory did not suffice (`wall` says which, where that is known). `failed`: it ran
 * and gave no number for another reason. `stopped`: a person ended it before it had one. `not-run`: nobody tried.
 * `unsupported`: this software cannot run it. `not-drawn`: the paper leaves the place empty.
 */
export type MarkState = 'value' | 'oom' | 'failed' | 'stopped' | 'not-run' | 'unsupported' | 'not-drawn';

/** One place of one series: a bar, or a point of a line. */
export interface Mark {
  /** Key of its panel. */
  readonly panel: string;
  /** Key of its series: a mode's name, or a system that only the paper has. */
  readonly series: string;
  /** One of the panel's `x`. */
  readonly x: string;
  readonly source: MarkSource;
  readonly state: MarkState;
  /** In the figure's unit; null unless the state is `value`. Always finite. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** How the interval was taken, for example `95% between 3 launches`; null without one. */
  readonly basis: string | null;
  readonly wall: Wall | null;
  /** Runs that it was made of, oldest first; empty for other sources. */
  readonly runIds: readonly string[];
  /** Against the first bar of its panel, of the same source; absent where nothing is compared. */
  readonly ratio?: MarkRatio;
  /** What is said beside this one mark: `accumulation 2`, `recomputed`, `2 of 3 launches failed`. */
  readonly notes: readonly string[];
}

/** How many times as fast. */
export interface MarkRatio {
  readonly value: number;
  /** null of a number that was published without an interval. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Panel {
  readonly key: string;
  readonly title: string;
  readonly chips: number | null;
  readonly xTitle: string;
  /** Places along the axis, in order. */
  readonly x: readonly string[];
  /** False for a panel that the paper does not have (a number of chips of one's own). */
  readonly inPaper: boolean;
}

export interface Series {
  readonly key: string;
  /** As it is written in the picture. */
  readonly title: string;
}

/** `Figure 10: Throughput on one chip`. */
export function figureTitle({ figure, title }: Pick<FigureData, 'figure' | 'title'>): string {
  return figure === 'ablation' ? `Ablation: ${title}` : `Figure ${figure}: ${title}`;
}

/** Everything that a picture or a table of one figure shows, of one system. Plain data: whoever has it can redraw it. */
export interface FigureData {
  readonly schemaVersion: 1;
  readonly figure: FigureKey;
  readonly title: string;
  /** Of every value, for example `TFLOPS per GPU, recomputation excluded`. */
  readonly unit: string;
  readonly shape: 'bars' | 'lines';
  readonly system: { readonly name: string; readonly title: string };
  /** True where the measured runs were on CPUs: they show that it works, not how fast it is. */
  readonly functional: boolean;
  readonly panels: readonly Panel[];
  readonly series: readonly Series[];
  readonly marks: readonly Mark[];
  /** What differs from the paper, each a short phrase for the picture itself: `bf16; paper fp16`, `PCIe; paper C2C`. */
  readonly differences: readonly string[];
  /** Said below the picture: where the numbers come from, software versions, how many runs of when. */
  readonly footnotes: readonly string[];
  /** The version of this tool. */
  readonly tool: string;
}
