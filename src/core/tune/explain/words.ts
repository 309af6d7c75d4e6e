import { modes } from '../../deepspeed/modes/registry.ts';
import { formatNumber } from '../../text/format.ts';
import type { Lead } from '../judge/lead.ts';
import type { Explanation, ModeFinding } from './explain.ts';
import type { OffloadFinding } from './offload.ts';
import type { Measured } from '../measured.ts';
import type { Verdict } from '../tuning.ts';

/** An explanation in words. */

/** What was chosen and what it leaves, one sentence a line. */
export function choiceLines(explanation: Explanation): string[] {
  const { chosen, offload, isFunctional } = explanation;
  if (chosen === null) return ['nothing ran: there is no configuration to choose'];
  const { subject, why } = chosen.candidate;
  return [
    ...(offload === null ? [] : offloadLines(offload)),
    `${modes[subject.mode].title}: ${why.join('; ')}`,
    `${formatNumber(chosen.result.medianStepMs)} ms a step, ${formatNumber(chosen.result.tflopsPerGpu)} model TFLOPS a GPU`,
    leftText(explanation),
    `the global batch stays ${subject.globalBatch}; micro-batch, accumulation and recomputation are tune's`,
    ...explanation.others.map(({ trial, lead }) => otherText(trial, lead)),
    ...(isFunctional ? ['functional: ranks on the CPU; the order says nothing about a GPU'] : []),
    countText(explanation),
  ];
}

function offloadLines(finding: OffloadFinding): string[] {
  switch (finding.kind) {
    case 'needless':
      return ['no offload needed: all of it fits on the GPU'];
    case 'needed':
      return finding.lacking === null
        ? []
        : [`offload is needed: ${finding.lacking.subject.mode} ${finding.lacking.reason}`];
    case 'worthwhile':
      return [worthwhileLine(finding), ...differenceLines(finding)];
  }
}

type Worthwhile = Extract<OffloadFinding, { kind: 'worthwhile' }>;

function worthwhileLine({ cpuShare, onGpu }: Worthwhile): string {
  const what = cpuShare === 1 ? 'the whole optimizer' : `${formatNumber(100 * cpuShare)}% of the optimizer`;
  const choice =
    cpuShare === 0 ? 'the choice keeps activations on the host' : `the choice steps ${what} on the CPU`;
  if (onGpu === null) {
    return `by prediction all of it would fit on the GPU; ${choice}; nothing that offloads nothing was measured whole`;
  }
  const fits = `all of it would fit on the GPU; ${choice}`;
  const { trial, lead } = onGpu;
  const range =
    lead.low === null || lead.high === null ? '' : ` (${lead.low.toFixed(2)} to ${lead.high.toFixed(2)})`;
  const told = lead.isToldApart === false ? ', not told apart' : '';
  const { mode } = trial.candidate.subject;
  const stepMs = formatNumber(trial.result.medianStepMs);
  return `${fits}, and ${mode}, the fastest without offload, takes ${stepMs} ms: ${lead.ratio.toFixed(2)} times as long${range}${told}`;
}

/** A prediction is no cause: it says where to look. */
function differenceLines({ onGpu, differences }: Worthwhile): string[] {
  if (onGpu === null || differences.length === 0) return [];
  const { mode } = onGpu.trial.candidate.subject;
  const parts = differences.map(
    ({ what, ms }) => `${what} ${formatNumber(Math.abs(ms))} ms ${ms > 0 ? 'more' : 'less'}`,
  );
  return [`why was not traced; by prediction ${mode} spends on ${parts.join(', on ')}`];
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
      return leadText(finding);
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

function leadText(finding: Extract<ModeFinding, { kind: 'measured' }>): string {
  const { ratio, low, high, isToldApart } = finding.lead;
  const { result } = finding.trial;
  const range = low === null || high === null ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
  const stopped = result.isWhole ? '' : ', stopped early';
  const times = `${formatNumber(result.medianStepMs)} ms a step, ${ratio.toFixed(2)} times the choice's${range}${stopped}`;
  if (isToldApart === null) return `${times}; no interval is known`;
  if (!isToldApart) return `${times}: not told apart`;
  return ratio < 1 ? `${times}: ${whyNotFaster(finding)}` : times;
}

/** Why what is faster is not the choice (judge/best.ts). */
function whyNotFaster({ trial, leavesMargin }: Extract<ModeFinding, { kind: 'measured' }>): string {
  if (!leavesMargin) return 'faster, but it does not leave the margin of memory';
  return trial.result.isWhole
    ? 'faster by less than 2%, for which what offloads nothing is not given up'
    : 'faster as far as it ran';
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
