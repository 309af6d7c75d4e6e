import { summarizeSteps, type StepStatistics } from '../stats/steps.ts';
import type { ExitEvidence, MemoryEvent, Outcome } from './events.ts';
import { classify } from './outcome.ts';
import type { LogState } from './state.ts';

/** What one log says, as data: the record of `parse --json`. Times in ms, memory in GiB. */
export interface LogSummary {
  readonly lineCount: number;
  readonly damagedLines: number;
  readonly endsInsideLine: boolean;
  /** Ranks that a prefix or a message named. */
  readonly rankCount: number;
  readonly iterationCount: number;
  readonly firstIteration: number | null;
  readonly lastIteration: number | null;
  readonly plannedIterations: number | null;
  readonly restarts: number;
  /** Iteration lines that told the same steps again for another rank; not counted. */
  readonly otherRankIterations: number;
  readonly steps: StepStatistics | null;
  readonly tokensPerSecond: number | null;
  readonly samplesPerSecond: number | null;
  /** TFLOPS a GPU at the median step, by the FLOP count of the program that wrote the log. */
  readonly loggedTflopsPerGpu: number | null;
  /** What that count is: model FLOPs cannot be recomputed from a log whose model is not known. */
  readonly loggedTflopsMeaning: 'as logged, hardware FLOPs';
  readonly firstLoss: number | null;
  readonly lastLoss: number | null;
  readonly lastGradNorm: number | null;
  readonly lastLossScale: number | null;
  readonly globalBatch: number | null;
  readonly sequenceLength: number | null;
  readonly skippedIterations: number;
  readonly nanIterations: number;
  readonly memory: Omit<MemoryEvent, 'type'> | null;
  readonly facts: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
  readonly exception: string | null;
  readonly lastLines: readonly string[];
}

export function summarizeLog(
  state: LogState & { readonly endsInsideLine: boolean },
  exit: ExitEvidence,
): LogSummary {
  const steps = summarizeSteps(state.stepMs.values());
  const perSecond = steps === null ? null : 1000 / steps.medianMs;
  const samples = times(perSecond, state.globalBatch);
  const { sum, count } = state.loggedTflop;
  return {
    lineCount: state.lineCount,
    damagedLines: state.damagedLines,
    endsInsideLine: state.endsInsideLine,
    rankCount: state.ranks.size,
    iterationCount: state.iterationCount,
    firstIteration: state.firstIteration,
    lastIteration: state.lastIteration,
    plannedIterations: state.plannedIterations,
    restarts: state.restarts,
    otherRankIterations: state.otherRankIterations,
    steps,
    tokensPerSecond: times(samples, state.sequenceLength),
    samplesPerSecond: samples,
    loggedTflopsPerGpu: count === 0 ? null : times(perSecond, sum / count),
    loggedTflopsMeaning: 'as logged, hardware FLOPs',
    firstLoss: state.firstLoss,
    lastLoss: state.lastLoss,
    lastGradNorm: state.lastGradNorm,
    lastLossScale: state.lastLossScale,
    globalBatch: state.globalBatch,
    sequenceLength: state.sequenceLength,
    skippedIterations: state.skippedIterations,
    nanIterations: state.nanIterations,
    memory: state.memory === null ? null : withoutType(state.memory),
    facts: state.facts,
    outcome: classify(state, exit),
    exception: state.traceback?.line ?? null,
    lastLines: state.tail,
  };
}

function times(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a * b;
}

function withoutType({
  gpuAllocatedGiB,
  gpuReservedGiB,
  hostGiB,
  hostSource,
}: MemoryEvent): Omit<MemoryEvent, 'type'> {
  return { gpuAllocatedGiB, gpuReservedGiB, hostGiB, hostSource };
}
