import { modes } from '../../deepspeed/modes/registry.ts';
import { formatNumber } from '../../text/format.ts';
import type { Explanation, Lead, ModeFinding } from './explain.ts';
import type { Measured } from '../measured.ts';
import type { Verdict } from '../tuning.ts';

/** An explanation in words. */

/** What was chosen and what it leaves, one sentence a line. */
export function choiceLines(explanation: Explanation): string[] {
  const { chosen, isOffloadNeedless, isFunctional } = explanation;
  if (chosen === null) return ['nothing ran: there is no configuration to choose'];
  const { subject, why } = chosen.candidate;
  return [
    ...(isOffloadNeedless ? ['no offload needed: all of it fits on the GPU'] : []),
    `${modes[subject.mode].title}: ${why.join('; ')}`,
    `${formatNumber(chosen.result.medianStepMs)} ms a step, ${chosen.result.tflopsPerGpu.toFixed(1)} model TFLOPS a GPU`,
    leftText(explanation),
    `the global batch stays ${subject.globalBatch}; micro-batch, accumulation and recomputation are tune's`,
    ...explanation.others.map(({ trial, lead }) => otherText(trial, lead)),
    ...(isFunctional ? ['functional: ranks on the CPU; the order says nothing about a GPU'] : []),
    countText(explanation),
  ];
}

/** One line a mode: what speaks for or against it. */
export function verdicts(explanation: Explanation): Verdict[] {
  return explanation.modes.map((finding) => ({
    mode: finding.mode,
    text: verdictText(finding, explanation),
  }));
}

function verdictText(finding: ModeFinding, { chosen }: Explanation): string {
  switch (finding.kind) {
    case 'chosen':
      return 'chosen';
    case 'measured':
      return leadText(finding.lead, finding.trial);
    case 'memory':
      return `not chosen: ${finding.reason}`;
    case 'failed':
      return `failed: ${finding.reason}`;
    case 'rejected':
      return `not tried: ${finding.reason}`;
    case 'untried':
      return untriedText(finding, chosen);
  }
}

function leadText({ ratio, low, high, isToldApart }: Lead, { result }: Measured): string {
  const range = low === null || high === null ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
  const stopped = result.isWhole ? '' : ', stopped early';
  const times = `${formatNumber(result.medianStepMs)} ms a step, ${ratio.toFixed(2)} times the choice's${range}${stopped}`;
  if (isToldApart === null) return `${times}; no interval is known`;
  if (!isToldApart) return `${times}: not told apart`;
  return ratio < 1 ? `${times}: faster, but it does not leave the margin of memory` : times;
}

function untriedText(
  { optimisticMs, isForTime }: Extract<ModeFinding, { kind: 'untried' }>,
  chosen: Measured | null,
): string {
  if (isForTime) return 'not tried: a launch would not have finished in the minutes that were left';
  if (optimisticMs === null || chosen === null) return 'not tried';
  const best = formatNumber(chosen.result.medianStepMs);
  return `not tried: ${formatNumber(optimisticMs)} ms a step at best, by prediction and by what the others took; the choice takes ${best} ms`;
}

function otherText({ candidate, result }: Measured, { ratio, isToldApart }: Lead): string {
  const told = isToldApart === false ? ', not told apart' : '';
  return `beside it ${candidate.why.join('; ')}: ${formatNumber(result.medianStepMs)} ms a step (${ratio.toFixed(2)} times${told})`;
}

function leftText({ left, leavesMargin, margin }: Explanation): string {
  const of = (gib: number | null, what: string): string =>
    gib === null ? `${what} not measured` : `${gib.toFixed(1)} GiB of ${what}`;
  const share = `${(100 * margin).toFixed(0)}%`;
  const kept = leavesMargin
    ? `the margin of ${share} is kept`
    : `less than the margin of ${share}: nothing else ran`;
  return `left free: ${of(left.gpuGiB, 'GPU memory')}, ${of(left.hostGiB, 'host memory')}; ${kept}`;
}

function countText({ counts: { trials, stored, untried } }: Explanation): string {
  const earlier = stored === 0 ? '' : `, ${stored} known from before`;
  return `${trials} ${trials === 1 ? 'trial' : 'trials'}${earlier}; ${untried} of the candidates never launched`;
}
