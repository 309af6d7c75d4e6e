import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, Dtype } from './case.ts';

/**
 * What the DeepSpeed JSON and a training script's arguments both say. It is computed here and nowhere else: where the
 * two disagree DeepSpeed dies at best, and at worst divides the loss by an accumulation that does not happen.
 */
export interface SharedSettings {
  readonly worldSize: number;
  /** Ranks that share one sequence. */
  readonly sequenceParallel: number;
  /** worldSize / sequenceParallel: ranks with sequences of their own. */
  readonly dataParallel: number;
  readonly microBatch: number;
  readonly gradientAccumulation: number;
  readonly globalBatch: number;
  readonly dtype: Dtype;
  readonly gradientClipping: number;
  readonly zeroStage: 0 | 2 | 3;
}

export function sharedSettings(subject: Case): SharedSettings {
  const { chips, sequenceParallel, microBatch, gradientAccumulation, globalBatch } = subject;
  return {
    worldSize: chips,
    sequenceParallel,
    dataParallel: chips / sequenceParallel,
    microBatch,
    gradientAccumulation,
    globalBatch,
    dtype: subject.dtype,
    gradientClipping: subject.gradientClipping,
    zeroStage: modes[subject.mode].zeroStage,
  };
}
