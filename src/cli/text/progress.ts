import type { CampaignEvent, ProgressEvent } from '../../workflows/events.ts';
import { formatDuration, formatNumber } from './format.ts';

/** @returns the permanent line of an event, or undefined where it deserves none. */
export function progressLine(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'task':
      return taskLine(event);
    case 'task-output':
      return taskOutput(event);
    case 'note':
      return event.message;
    case 'warning':
      return `warning: ${event.message}${event.hint === undefined ? '' : `\n  ${event.hint}`}`;
    case 'run-started':
      return `[${event.index}/${event.total}] ${event.title}  (${event.runId})`;
    case 'run-step':
      return runStep(event);
    case 'run-waiting':
      return `      ${event.waitingFor}`;
    case 'campaign':
      return event.live === null ? `      ${campaignCounts(event)}` : campaignLive(event);
    case 'run-ended': {
      const median =
        event.medianStepMs === null ? '' : `, median ${formatNumber(event.medianStepMs / 1000)} s/step`;
      const proof = event.outcome.class === 'ok' ? '' : `: ${event.outcome.reason}`;
      return `      ${ofRun(event)}${event.outcome.class} after ${formatDuration(event.elapsedMs)}${median}${proof}`;
    }
  }
}

/** @returns the text of the live line, or undefined where the event is a permanent line. */
export function progressStatus(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'task':
      return event.state === 'start' ? `... ${event.message}` : undefined;
    case 'task-output':
      return taskOutput(event);
    case 'run-step':
      return runStep(event);
    case 'run-waiting':
      return `      ${formatDuration(event.elapsedMs)} ${event.waitingFor}`;
    case 'campaign':
      return event.live === null ? undefined : campaignLive(event);
    default:
      return undefined;
  }
}

function taskOutput({ line, elapsedMs }: Extract<ProgressEvent, { type: 'task-output' }>): string {
  return `... ${formatDuration(elapsedMs)} ${line}`;
}

function taskLine(event: Extract<ProgressEvent, { type: 'task' }>): string {
  const elapsed = event.elapsedMs === undefined ? '' : ` (${formatDuration(event.elapsedMs)})`;
  const mark = { start: '...', done: 'ok ', failed: 'FAILED' }[event.state];
  return `${mark} ${event.message}${elapsed}`;
}

function ofRun({ title }: { readonly title?: string }): string {
  return title === undefined ? '' : `${title}: `;
}

/** `12 of 100 done, 1 failed, 3 running, 1h20m left`; with repeats `8 of 12 launches, 0 of 4 cases whole, ...`. */
function campaignCounts({ done, failed, total, remainingMs, ...event }: CampaignEvent): string {
  const { waiting, waitingFor, launches } = event;
  const running = event.running - waiting;
  const ended = `${done + failed} of ${total}`;
  const parts = [
    launches.total > total
      ? `${launches.done} of ${launches.total} launches, ${ended} cases whole`
      : `${ended} done`,
    failed === 0 ? '' : `${failed} failed`,
    running === 0 ? '' : `${running} running`,
    waiting === 0 ? '' : `${waiting} ${waitingFor ?? 'pending'}`,
    remainingMs === null || remainingMs === 0 ? '' : `about ${formatDuration(remainingMs)} left`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function campaignLive(event: CampaignEvent): string {
  const counts = `[${campaignCounts(event)}]`;
  if (event.live === null || event.live.step === null) return counts;
  return `${counts} ${event.live.title}: ${runStep(event.live.step).trim()}`;
}

function runStep(event: Extract<ProgressEvent, { type: 'run-step' }>): string {
  const { step } = event;
  const planned = event.plannedSteps === null ? '' : `/${event.plannedSteps}`;
  const parts = [
    `      step ${step.iteration}${planned}`,
    step.stepMs === null ? '' : `${formatNumber(step.stepMs / 1000)} s/step`,
    event.tflopsPerGpu === null ? '' : `${formatNumber(event.tflopsPerGpu)} TFLOPS`,
    step.loss === null ? '' : `loss ${formatNumber(step.loss)}`,
    event.gpuGiB === null ? '' : `GPU ${formatNumber(event.gpuGiB)} GiB`,
    event.hostGiB === null ? '' : `host ${formatNumber(event.hostGiB)} GiB (machine)`,
    event.remainingMs === null ? '' : `${formatDuration(event.remainingMs)} left`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}
