import type { Context } from '../context.ts';
import type { FigureFormat } from './formats.ts';
import type { RunMissing, RunReport } from './run-missing.ts';

/** What a figure that is not of the paper is asked for. */
export interface OwnFigureRequest {
  /** What `--from` names; none means `runs`. */
  readonly from: readonly string[];
  /** Only runs of this machine. */
  readonly system?: string;
  /** What bench/overlap_limits.py measured on the machine: a file. */
  readonly limits?: string;
  /** Beside what the paper published, where it published such numbers. */
  readonly paper: boolean;
  /** Beside what is predicted; absent: yes. */
  readonly predicted?: boolean;
  /** Runs what is missing first; null or absent draws what is there. */
  readonly run?: RunMissing | null;
  /** null: the usual ones, without PNG where this machine cannot draw it. */
  readonly formats: readonly FigureFormat[] | null;
  /** As the user gave it. */
  readonly out: string;
  readonly dryRun: boolean;
}

export interface OwnFigure {
  /** Everything that the picture shows: what `--json` prints. */
  readonly data: { readonly schemaVersion: number };
  /** For people, one line: what is shown of which runs. */
  readonly head: string;
  /** Absolute: written, or of a dry run those that would be. */
  readonly files: readonly string[];
}

export interface OwnFigures {
  readonly figures: readonly OwnFigure[];
  /** What of the sources could not be used, and why. */
  readonly notes: readonly string[];
  /** What was run for it, or would be. */
  readonly runs?: readonly RunReport[];
}

/** Draws one of {@link ownFigures}. @throws SuperOffloadError 'usage', or 'environment' where there is nothing to draw. */
export type DrawOwnFigure = (context: Context, request: OwnFigureRequest) => Promise<OwnFigures>;

interface OwnFigureKind {
  /** Flags that mean something to it, besides --from, --formats, --out, --json and --dry-run. */
  readonly flags: readonly ('system' | 'paper' | 'limits' | 'predicted' | 'run' | 'row')[];
  /** Its code is loaded when it is asked for. */
  readonly load: () => Promise<DrawOwnFigure>;
}

/** Figures of this tool's own, by the word that asks for them; `all` is the paper's alone. A new one needs one line here. */
export const ownFigures: Readonly<Record<string, OwnFigureKind>> = {
  ablation: {
    flags: ['system', 'paper', 'predicted', 'run', 'row'],
    load: async () => (await import('./ablation.ts')).drawAblation,
  },
  timeline: {
    flags: ['system', 'limits'],
    load: async () => (await import('./timeline/draw-timeline.ts')).drawTimeline,
  },
};
