import type { Case, System } from '../../experiment/case.ts';
import type { Draft } from './drafts.ts';
import { offloadsNothing } from '../modes-to-tune.ts';

/** What sets a candidate apart, in words. */
export function whyOf(
  { variant, bindCores }: Draft,
  subject: Case,
  accelerator: System['accelerator'],
): string[] {
  const whole = accelerator === 'cuda' ? 'everything fits on the GPU' : 'nothing is offloaded';
  return [
    ...(offloadsNothing(subject) ? [whole] : []),
    ...(subject.ratio === null ? [] : [ratioText(subject.ratio)]),
    batchText(subject),
    ...(subject.activationCheckpointing ? [recomputationText(subject)] : []),
    ...(variant.why === null ? [] : [variant.why]),
    ...(bindCores ? ['cores bound to the rank'] : []),
  ];
}

function ratioText(ratio: number): string {
  if (ratio === 0) return 'ratio 0: the whole optimizer on the accelerator';
  if (ratio === 1) return 'ratio 1: the whole optimizer on the CPU';
  return `ratio ${ratio}: ${Math.round(100 * (1 - ratio))}% of the optimizer stays on the accelerator`;
}

function batchText({ microBatch, gradientAccumulation }: Case): string {
  if (gradientAccumulation === 1) return `micro-batch ${microBatch}, the whole batch at once`;
  return `micro-batch ${microBatch}, ${gradientAccumulation} accumulated`;
}

function recomputationText({ activationOffload }: Case): string {
  return activationOffload ? 'recomputation, kept activations on the host' : 'recomputation';
}
