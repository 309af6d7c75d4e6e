import type { Emit, ProgressEvent } from '../workflows/events.ts';
import { progressLine, progressStatus } from './progress-text.ts';

/** Draws progress on stderr: one live line on a terminal, plain lines in a log. */
export interface Reporter {
  readonly emit: Emit;
  /** Clears the live line. */
  readonly close: () => void;
}

const redrawMs = 100;

export function createReporter(stream: NodeJS.WriteStream): Reporter {
  return stream.isTTY ? terminalReporter(stream) : plainReporter(stream);
}

function plainReporter(stream: NodeJS.WritableStream): Reporter {
  return {
    emit: (event) => {
      const line = progressLine(event);
      if (line !== undefined) stream.write(`${line}\n`);
    },
    close: () => undefined,
  };
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
      if (line !== undefined) stream.write(`${line}\n`);
    },
    close: clear,
  };
}
