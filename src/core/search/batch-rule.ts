/**
 * The paper's rule for the batch of a throughput case: the same global batch for every mode at once; only where that
 * runs out of memory that a smaller one spares, both (1) the largest micro-batch that fits without recomputation, with accumulation, and
 * (2) recomputation with the largest micro-batch that fits. The faster in model TFLOPS counts, both are kept.
 */
import type { Case, System } from '../experiment/case.ts';
import { predictFit, type PredictOptions } from '../model/predict.ts';
import { leanestBatch, microBatchesOf, withMicroBatch } from './batch-variants.ts';
import { needAt, nextStep, type Needs, type Probe, type Verdict, type Wall } from './frontier.ts';
import { needsOf, predictedEdge, type Capacity } from './predicted-edge.ts';

/** One launch of the rule. */
export interface BatchAttempt {
  readonly subject: Case;
  readonly verdict: Verdict;
  /** Recomputation excluded, a chip; null where it did not run. */
  readonly modelTflops: number | null;
}

export interface BatchSearch {
  /** The case with its whole global batch at once. */
  readonly asked: Case;
  /** Every launch so far. */
  readonly attempts: readonly BatchAttempt[];
  /** What a case is predicted to need, and what there is: the search starts there. */
  readonly needsOf: (subject: Case) => Needs;
  readonly capacity: Capacity;
}

/** What the rule needs to know of a case on a system, by prediction. */
export function predictedBatches(
  asked: Case,
  system: System,
  options: PredictOptions,
): Omit<BatchSearch, 'attempts'> {
  return {
    asked,
    needsOf: (subject) => needsOf(predictFit(subject, system, options)),
    capacity: predictFit(asked, system, options).capacity,
  };
}

export type BatchStep =
  | { readonly type: 'run'; readonly subject: Case; readonly why: BatchReason }
  | {
      readonly type: 'done';
      /** The case that counts, as it was launched; null where nothing ran. */
      readonly chosen: Case | null;
      /** The best of each way that ran, the chosen one first. */
      readonly kept: readonly Case[];
      /** Why the rule ended without trying everything; null where it did not. */
      readonly stopped: string | null;
    };

export type BatchReason = 'the whole batch at once' | 'accumulation' | 'recomputation';

/** The next launch of the rule, or its end. A failure that proves nothing about memory ends it. */
export function nextBatchStep(search: BatchSearch): BatchStep {
  const { asked, attempts } = search;
  const first = attemptOf(search, asked);
  if (first === undefined) return { type: 'run', subject: asked, why: 'the whole batch at once' };
  if (first.verdict.kind !== 'memory') return endOf(attempts, [asked], stopOf(first.verdict));
  if (!wouldHelp(search, first.verdict.wall)) return endOf(attempts, [], null);
  const best: Case[] = [];
  for (const recompute of asked.activationCheckpointing ? [true] : [false, true]) {
    const step = searchMicroBatch(search, recompute);
    if (step.type === 'probe') {
      const why = recompute ? 'recomputation' : 'accumulation';
      return { type: 'run', subject: step.subject, why };
    }
    if (step.type === 'stopped') return endOf(attempts, best, step.reason);
    if (step.largest !== null) best.push(step.largest);
  }
  return endOf(attempts, best, null);
}

/** No batch changes what an optimizer, gradients and weights take of the host: then there is nothing to try. */
function wouldHelp({ asked, needsOf }: BatchSearch, wall: Wall): boolean {
  return needAt(needsOf(leanestBatch(asked)), wall) < needAt(needsOf(asked), wall);
}

type WayStep =
  | { readonly type: 'probe'; readonly subject: Case }
  | { readonly type: 'stopped'; readonly reason: string }
  | { readonly type: 'done'; readonly largest: Case | null };

/** The largest micro-batch that fits, one way. No repeat: a throughput is measured, not a wall. */
function searchMicroBatch(search: BatchSearch, recompute: boolean): WayStep {
  const subjects = microBatchesOf(search.asked).map((size) => withMicroBatch(search.asked, size, recompute));
  const candidates = subjects.map(search.needsOf);
  const probes = subjects.flatMap((subject, candidate): Probe[] => {
    const attempt = attemptOf(search, subject);
    return attempt === undefined ? [] : [{ candidate, verdict: attempt.verdict }];
  });
  const edge = predictedEdge(candidates, search.capacity);
  const step = nextStep({ candidates, ...edge, probes, confirms: false });
  if (step.type === 'stopped') return step;
  const index = step.type === 'probe' ? step.candidate : step.frontier.largestRan;
  const subject = index === null ? undefined : subjects[index];
  if (step.type === 'done') return { type: 'done', largest: subject ?? null };
  if (subject === undefined) throw new Error(`there is no micro-batch ${index}`);
  return { type: 'probe', subject };
}

function attemptOf({ attempts }: BatchSearch, subject: Case): BatchAttempt | undefined {
  return attempts.findLast((attempt) => isSameBatch(attempt.subject, subject));
}

function isSameBatch(a: Case, b: Case): boolean {
  return a.microBatch === b.microBatch && a.activationCheckpointing === b.activationCheckpointing;
}

function stopOf(verdict: Verdict): string | null {
  return verdict.kind === 'unproven' ? verdict.reason : null;
}

function endOf(
  attempts: readonly BatchAttempt[],
  best: readonly Case[],
  stopped: string | null,
): Extract<BatchStep, { type: 'done' }> {
  const ran = best.flatMap((subject) => {
    const attempt = attempts.findLast((other) => isSameBatch(other.subject, subject));
    return attempt?.verdict.kind === 'ran' ? [attempt] : [];
  });
  const kept = keptBatches(ran).map(({ subject }) => subject);
  return { type: 'done', chosen: kept[0] ?? null, kept, stopped };
}

/**
 * Of batches that ran in place of one that did not: the largest micro-batch of each way, with and without
 * recomputation, the faster way first. A smaller micro-batch was only a step of the search, however fast it was.
 */
export function keptBatches<T extends Pick<BatchAttempt, 'subject' | 'modelTflops'>>(
  ran: readonly T[],
): readonly T[] {
  const largest = [false, true].flatMap((recompute) => {
    const way = ran.filter(({ subject }) => subject.activationCheckpointing === recompute);
    return way.sort((a, b) => b.subject.microBatch - a.subject.microBatch).slice(0, 1);
  });
  return largest.sort((a, b) => (b.modelTflops ?? 0) - (a.modelTflops ?? 0));
}
