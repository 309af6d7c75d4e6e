import { formatNumber } from '../../core/text/format.ts';
import { bestOf } from '../../core/tune/judge/best.ts';
import { wallTitles } from '../../core/search/verdict.ts';
import type { Candidate, NextTrial, TrialResult, Tuning } from '../../core/tune/tuning.ts';

/** Before a trial: `trial 3 of at most 8, 4.2 minutes left, best so far 0.56 s/step (prism_overlap, ratio 1): predicted best`. */
export function whatIsNext(tuning: Tuning, next: Extract<NextTrial, { readonly type: 'trial' }>): string {
  const { budget, minutes, trials } = tuning;
  const own = trials.filter(({ isStored }) => !isStored).length;
  const best = bestSoFar(tuning);
  const parts = [
    `trial ${own + 1} of at most ${budget.maxTrials}`,
    `${Math.max(0, budget.maxMinutes - minutes).toFixed(1)} minutes left`,
    ...(best === null ? [] : [`best so far ${best}`]),
  ];
  return `${parts.join(', ')}: ${next.why}`;
}

/** After a trial: `0.56 s/step, 213 TFLOPS`. */
export function trialLine(tuning: Tuning, result: TrialResult): string {
  const best = bestSoFar(tuning);
  return `      ${resultText(result)}${best === null ? '' : `; best so far ${best}`}`;
}

export function resultText(result: TrialResult): string {
  switch (result.kind) {
    case 'measured': {
      const speed = `${formatNumber(result.medianStepMs / 1000)} s/step, ${formatNumber(result.tflopsPerGpu)} TFLOPS`;
      return result.isWhole ? speed : `${speed}, stopped early: it cannot be the best`;
    }
    case 'memory':
      return `out of ${wallTitles[result.wall]}`;
    case 'failed':
    case 'unfinished':
      return result.reason;
  }
}

/** What sets a configuration apart from others of its size, in a line: `ratio 0.85, micro-batch 4 x 2, recomputation`. */
export function settingsText({ subject, bindCores }: Pick<Candidate, 'subject' | 'bindCores'>): string {
  const overrides = Object.entries(subject.deepspeedOverrides).map(
    ([key, value]) => `${key.replace(/^zero_optimization\./, '')}=${JSON.stringify(value)}`,
  );
  return [
    ...(subject.ratio === null ? [] : [`ratio ${subject.ratio}`]),
    `batch ${subject.microBatch} x ${subject.gradientAccumulation}`,
    ...(subject.activationCheckpointing ? ['recomputation'] : []),
    ...(subject.activationOffload ? ['kept on the host'] : []),
    ...(bindCores ? ['cores bound'] : []),
    ...overrides,
  ].join(', ');
}

function bestSoFar(tuning: Tuning): string | null {
  const best = bestOf(tuning);
  if (best === null) return null;
  const { candidate, result } = best;
  const { mode, model } = candidate.subject;
  return `${formatNumber(result.medianStepMs / 1000)} s/step (${mode} ${model.name}, ${settingsText(candidate)})`;
}
