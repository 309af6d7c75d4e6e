/** Adds up a log line by line. Cheap enough for every line of a noisy log; see scan.ts for gigabytes. */
import type { IterationEvent, LogEvent, MemoryEvent, OutcomeClass } from './events.ts';
import { findEvidence } from './evidence.ts';
import { parseLine } from './formats/registry.ts';
import { readPrefix } from './line-prefix.ts';
import { needleExpression } from './needle.ts';
import { emptyState, type Evidence, type LogState } from './state.ts';
import { createTracebacks, type Tracebacks } from './traceback.ts';

export const tailLines = 20;
/** A line longer than this is not a log line; its rest is not looked at. */
const maxLineLength = 16_384;

export interface Fold {
  /**
   * Takes the next line, without its line feed.
   * @returns what it said, most often nothing
   */
  readonly push: (line: string) => readonly LogEvent[];
  /**
   * Does the same without keeping the line among the newest ones.
   * @param known true where the line is known to hold a needle
   */
  readonly take: (line: string, known?: boolean) => readonly LogEvent[];
  /** Counts lines that hold none of the needles, without looking at them. */
  readonly skip: (lines: number) => void;
  /** True inside a traceback, when a line matters although it holds no needle. */
  readonly wantsEveryLine: () => boolean;
  readonly state: LogState;
}

const nothing: readonly LogEvent[] = [];

export function createFold(): Fold {
  const state = emptyState();
  const tracebacks = createTracebacks();
  const needle = needleExpression();
  const iterationRank: { rank: number | null } = { rank: null };
  const layout = { seenComplete: false };

  const pushPart = (part: string, known: boolean): readonly LogEvent[] => {
    if (!known && !tracebacks.isOpen() && !needle.test(part)) return nothing;
    const { rank, text } = readPrefix(part);
    if (rank !== null && state.ranks.size < 65_536) state.ranks.add(rank);
    const inside = tracebacks.isOpen() ? tracebacks.push(text, rank) : 'outside';
    if (inside === 'frame') return nothing;
    const event = withoutJoined(parseLine(text), layout) ?? evidenceEvent(text, rank, tracebacks);
    if (inside === 'exception') {
      noteException(state, text, rank, event?.type === 'evidence' && event.cascade);
    }
    if (tracebacks.opens(text)) tracebacks.open(rank);
    if (event === undefined) return nothing;
    apply(state, event, rank, iterationRank);
    return [event];
  };

  const take = (line: string, known = false): readonly LogEvent[] => {
    state.lineCount += 1;
    const kept = line.length > maxLineLength ? line.slice(0, maxLineLength) : line;
    const carriage = kept.indexOf('\r');
    // A progress bar writes many states into one line, and a log message may follow the last of them.
    if (carriage === -1 || carriage === kept.length - 1) return pushPart(kept, known);
    return kept.split('\r').flatMap((part) => [...pushPart(part, false)]);
  };

  return {
    state,
    wantsEveryLine: tracebacks.isOpen,
    skip: (lines) => void (state.lineCount += lines),
    take,
    push: (line) => {
      if (state.tail.push(line.length > 500 ? line.slice(0, 500) : line) > tailLines) state.tail.shift();
      return take(line);
    },
  };
}

/** See `partial` in events.ts. */
function withoutJoined(event: LogEvent | undefined, layout: { seenComplete: boolean }): LogEvent | undefined {
  if (event?.type !== 'iteration') return event;
  if (event.partial === true) return layout.seenComplete ? { type: 'damaged' } : event;
  layout.seenComplete ||= event.plannedIterations !== null;
  return event;
}

function evidenceEvent(text: string, rank: number | null, tracebacks: Tracebacks): LogEvent | undefined {
  const rule = findEvidence(text, tracebacks.afterPinning(rank));
  if (rule === undefined) return undefined;
  return {
    type: 'evidence',
    outcome: rule.outcome,
    rank,
    line: text.trim().slice(0, 500),
    cascade: rule.cascade === true,
  };
}

function noteException(state: LogState, text: string, rank: number | null, cascade: boolean): void {
  if (state.traceback !== null && (!state.traceback.cascade || cascade)) return;
  state.traceback = {
    line: text.trim().slice(0, 500),
    rank,
    lineNumber: state.lineCount,
    afterIterations: state.iterationCount,
    cascade,
  };
}

function apply(
  state: LogState,
  event: LogEvent,
  rank: number | null,
  iterationRank: { rank: number | null },
): void {
  switch (event.type) {
    case 'iteration':
      // A line that names no rank comes from the one that writes for all.
      iterationRank.rank ??= rank;
      if (rank === null || rank === iterationRank.rank) applyIteration(state, event);
      else state.otherRankIterations += 1;
      return;
    case 'memory':
      state.memory = state.memory === null ? event : higherMemory(state.memory, event);
      return;
    case 'facts':
      Object.assign(state.facts, event.facts);
      return;
    case 'finished':
      state.finished = { iteration: event.iteration, lineNumber: state.lineCount };
      return;
    case 'exit':
      if (event.code === 0) state.cleanExits += 1;
      else state.launcherExitCode ??= event.code;
      return;
    case 'damaged':
      state.damagedLines += 1;
      return;
    case 'put-back':
      Object.assign(state, emptyState(), { lineCount: state.lineCount, tail: state.tail });
      return;
    case 'evidence':
      applyEvidence(state, event);
  }
}

/** Every rank may say its own peak, and some say it more than once. */
function higherMemory(a: MemoryEvent, b: MemoryEvent): MemoryEvent {
  const higher = (x: number | null, y: number | null): number | null =>
    x === null || y === null ? (x ?? y) : Math.max(x, y);
  return {
    type: 'memory',
    gpuAllocatedGiB: higher(a.gpuAllocatedGiB, b.gpuAllocatedGiB),
    gpuReservedGiB: higher(a.gpuReservedGiB, b.gpuReservedGiB),
    hostGiB: higher(a.hostGiB, b.hostGiB),
    hostSource: b.hostSource ?? a.hostSource,
  };
}

function applyEvidence(state: LogState, event: Extract<LogEvent, { type: 'evidence' }>): void {
  const target = event.cascade ? state.cascades : state.evidence;
  const first = target.get(event.outcome);
  if (first !== undefined && !wasSurvived(state, first)) return;
  const { outcome, line, rank, cascade } = event;
  const evidence: Evidence = {
    outcome,
    line,
    rank,
    cascade,
    lineNumber: state.lineCount,
    afterIterations: state.iterationCount,
  };
  target.set(outcome, evidence);
}

const early: ReadonlySet<OutcomeClass> = new Set(['config_error', 'install_error', 'launch_error']);

/**
 * A failure that iterations follow was caught by the program: a missing optional module, a batch that was
 * tried and found too large. One more iteration may still be on its way when another rank fails.
 */
export function wasSurvived(state: LogState, evidence: Evidence): boolean {
  const later = state.iterationCount - evidence.afterIterations;
  return early.has(evidence.outcome) && evidence.afterIterations === 0 ? later > 0 : later > 1;
}

function applyIteration(state: LogState, event: IterationEvent): void {
  const stepMs = stepTime(state, event);
  if (event.iteration === state.lastIteration) {
    // DeepSpeed says one step in two lines, and only the second has a time.
    if (stepMs !== null && state.stepMs.values().length < state.iterationCount) state.stepMs.push(stepMs);
    return;
  }
  if (state.lastIteration !== null && event.iteration < state.lastIteration) state.restarts += 1;
  state.iterationCount += 1;
  state.firstIteration ??= event.iteration;
  state.lastIteration = event.iteration;
  state.plannedIterations = event.plannedIterations ?? state.plannedIterations;
  if (stepMs !== null) state.stepMs.push(stepMs);
  state.globalBatch = event.globalBatch ?? state.globalBatch;
  state.sequenceLength = event.sequenceLength ?? state.sequenceLength;
  if (event.gradNorm !== null) {
    state.lastGradNorm = event.gradNorm;
    state.gradNorms.push(event.gradNorm);
  }
  state.skippedIterations += event.skippedIterations;
  state.nanIterations += event.nanIterations;
  applyLoss(state, event);
  if (stepMs !== null && event.loggedTflops !== null) {
    state.loggedTflop.sum += (event.loggedTflops * stepMs) / 1000;
    state.loggedTflop.count += 1;
  }
}

function applyLoss(state: LogState, event: IterationEvent): void {
  const { loss, lossScale } = event;
  if (loss !== null) {
    state.firstLoss ??= loss;
    state.lastLoss = loss;
  }
  const finite = (loss === null || Number.isFinite(loss)) && event.nanIterations === 0;
  if (!finite) state.firstNonFiniteIteration ??= event.iteration;
  state.lastLossScale = lossScale ?? state.lastLossScale;
  const atFloor = lossScale !== null && lossScale <= 1 && event.skippedIterations > 0;
  state.stepsAtLossScaleFloor = atFloor ? state.stepsAtLossScaleFloor + 1 : 0;
}

/** DeepSpeed's timer gives samples a second of the whole batch, whose size its printed config holds. */
function stepTime(state: LogState, event: IterationEvent): number | null {
  if (event.stepMs !== null || event.samplesPerSecond === undefined) return event.stepMs;
  const batch = Number(state.facts['train_batch_size'] ?? Number.NaN);
  return batch > 0 && event.samplesPerSecond > 0 ? (1000 * batch) / event.samplesPerSecond : null;
}
