import type { Emit, ProgressEvent } from '../workflows/events.ts';
import { progressLine, progressStatus } from './text/progress.ts';
import { asStarted } from './started-as.ts';

/** Draws progress on stderr: one live line on a terminal, plain lines in a log. */
export interface Reporter {
  readonly emit: Emit;
  /** Clears the live line. */
  readonly close: () => void;
}

const redrawMs = 100;
const stepLineMs = 5_000;
/** Of a campaign there are lines enough without it: of every begin and end. */
const campaignLineMs = 60_000;
/** Of a task that takes long; one that does not has its beginning and its end. */
const taskLineMs = 30_000;

export function createReporter(stream: NodeJS.WriteStream): Reporter {
  return stream.isTTY ? terminalReporter(stream) : plainReporter(stream);
}

/**
 * A log keeps all that is written to it: of the steps one line in {@link stepLineMs}, the first and the last; of a task
 * that goes on one in {@link taskLineMs}.
 */
function plainReporter(stream: NodeJS.WritableStream): Reporter {
  let waiting: ProgressEvent | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = (event: ProgressEvent): void => {
    const line = progressLine(event);
    if (line !== undefined) stream.write(`${asStarted(line)}\n`);
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === undefined) return;
    write(waiting);
    waiting = undefined;
    writtenAt = performance.now();
  };
  // The last step of a run is kept. How far a campaign or a task was is no longer true beside what comes in its place.
  const settle = (): void => {
    if (waiting?.type === 'campaign' || waiting?.type === 'task-output') waiting = undefined;
    flush();
  };
  return {
    emit: (event) => {
      const everyMs = paceOf(event);
      if (everyMs === null) {
        settle();
        write(event);
        if (event.type === 'run-started') writtenAt = Number.NEGATIVE_INFINITY;
        if (event.type === 'task') writtenAt = performance.now();
        return;
      }
      waiting = event;
      const restMs = everyMs - (performance.now() - writtenAt);
      if (restMs <= 0) flush();
      else timer ??= setTimeout(flush, restMs).unref();
    },
    close: settle,
  };
}

/** @returns how often such events are written to a log, milliseconds; null for every time. */
function paceOf(event: ProgressEvent): number | null {
  if (event.type === 'run-step') return stepLineMs;
  if (event.type === 'task-output') return taskLineMs;
  return event.type === 'campaign' && event.live !== null ? campaignLineMs : null;
}

function terminalReporter(stream: NodeJS.WriteStream): Reporter {
  let live = '';
  let drawnAt = 0;
  const clear = (): void => {
    if (live !== '') stream.write('\r\u001b[2K');
    live = '';
  };
  const drawLive = (event: ProgressEvent, status: string): void => {
    const now = Date.now();
    if (event.type !== 'task' && now - drawnAt < redrawMs) return;
    drawnAt = now;
    clear();
    live = status.slice(0, Math.max(20, stream.columns - 1));
    stream.write(live);
  };
  return {
    emit: (event) => {
      const status = progressStatus(event);
      if (status !== undefined) {
        drawLive(event, status);
        return;
      }
      clear();
      const line = progressLine(event);
      if (line !== undefined) stream.write(`${asStarted(line)}\n`);
    },
    close: clear,
  };
}
