import type { MemoryEvent, OutcomeClass } from './events.ts';
import { createSeries, type Series } from './series.ts';

/** The first line that is evidence for a class. */
export interface Evidence {
  readonly outcome: OutcomeClass;
  readonly line: string;
  readonly rank: number | null;
  /** Counted from 1 over the whole log. */
  readonly lineNumber: number;
  /** Completed iterations when the line came: 0 means before the first one. */
  readonly afterIterations: number;
  readonly cascade: boolean;
}

/** What one log has said so far: step times, running summaries, the newest lines, and nothing that grows else. */
export interface LogState {
  lineCount: number;
  /** Lines that were cut or mixed with another's; none of their numbers was used. */
  damagedLines: number;
  /** Completed iterations that were counted; the same one told twice is one. */
  iterationCount: number;
  firstIteration: number | null;
  lastIteration: number | null;
  /** The iteration at which the log says it will end. */
  plannedIterations: number | null;
  /** Times at which the numbering went back: a resumed run in the same log. */
  restarts: number;
  /** Iteration lines by other ranks than the first that wrote one: the same steps, not counted again. */
  otherRankIterations: number;
  /** Step times in ms, in the log's order. */
  readonly stepMs: Series;
  firstLoss: number | null;
  lastLoss: number | null;
  firstNonFiniteIteration: number | null;
  lastLossScale: number | null;
  /** Consecutive iterations up to the last that were skipped with the loss scale at 1 or below. */
  stepsAtLossScaleFloor: number;
  lastGradNorm: number | null;
  /** Norms of the gradients before any clipping, in the log's order; of the lines that have one. */
  readonly gradNorms: Series;
  globalBatch: number | null;
  sequenceLength: number | null;
  skippedIterations: number;
  nanIterations: number;
  /** Sum of (TFLOPS a GPU * s) over the lines that give both, and their count: hardware FLOPs of one step. */
  loggedTflop: { sum: number; count: number };
  facts: Record<string, string>;
  memory: MemoryEvent | null;
  finished: { readonly iteration: number | null; readonly lineNumber: number } | null;
  /** Processes that their launcher saw leave with status 0. */
  cleanExits: number;
  /** The first other status that the launcher named; minus the signal's number for a signal. */
  launcherExitCode: number | null;
  /** First evidence for each class that was not survived (see fold.ts); cascades apart. */
  readonly evidence: Map<OutcomeClass, Evidence>;
  readonly cascades: Map<OutcomeClass, Evidence>;
  /** Last line of the first Python traceback, the one with the exception; one that is no cascade if there is. */
  traceback: Omit<Evidence, 'outcome'> | null;
  /** Ranks that a prefix or message named. */
  readonly ranks: Set<number>;
  /** The newest lines, oldest first. */
  tail: string[];
}

/** @returns the state before the first line */
export function emptyState(): LogState {
  return {
    lineCount: 0,
    damagedLines: 0,
    iterationCount: 0,
    firstIteration: null,
    lastIteration: null,
    plannedIterations: null,
    restarts: 0,
    otherRankIterations: 0,
    stepMs: createSeries(),
    firstLoss: null,
    lastLoss: null,
    firstNonFiniteIteration: null,
    lastLossScale: null,
    stepsAtLossScaleFloor: 0,
    lastGradNorm: null,
    gradNorms: createSeries(),
    globalBatch: null,
    sequenceLength: null,
    skippedIterations: 0,
    nanIterations: 0,
    loggedTflop: { sum: 0, count: 0 },
    facts: {},
    memory: null,
    finished: null,
    cleanExits: 0,
    launcherExitCode: null,
    evidence: new Map(),
    cascades: new Map(),
    traceback: null,
    ranks: new Set(),
    tail: [],
  };
}
