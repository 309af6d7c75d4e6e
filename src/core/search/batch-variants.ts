import type { Case } from '../experiment/case.ts';

/** The same case with another micro-batch; the global batch stays. */
export function withMicroBatch(subject: Case, microBatch: number, recompute: boolean): Case {
  const perRank = sequencesOfRank(subject);
  return {
    ...subject,
    microBatch,
    gradientAccumulation: perRank / microBatch,
    activationCheckpointing: recompute,
    activationOffload: recompute && subject.activationOffload,
  };
}

/** Micro-batches that divide a rank's share of the global batch, the smallest first. */
export function microBatchesOf(subject: Case): number[] {
  const perRank = sequencesOfRank(subject);
  return Array.from({ length: perRank }, (_, index) => index + 1).filter((size) => perRank % size === 0);
}

/** What needs the least GPU memory of all that the rule may come to: one sequence at a time, recomputed. */
export function leanestBatch(subject: Case): Case {
  return withMicroBatch(subject, 1, true);
}

/** Sequences of one data-parallel rank in an optimizer step. */
function sequencesOfRank({ microBatch, gradientAccumulation }: Case): number {
  return microBatch * gradientAccumulation;
}
