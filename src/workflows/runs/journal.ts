import { startTicks } from '../../adapters/processes.ts';
import { appendEvent, type RunFolder } from '../../adapters/run-store.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { utcNow, type Context, type Unstamped } from '../context.ts';

/** Appends to a run's journal, as of now. @throws SuperOffloadError 'environment' on a full disk. */
export function noteEvent(
  context: Pick<Context, 'now'>,
  folder: RunFolder,
  event: Unstamped<RunEvent>,
): void {
  appendEvent(folder, { utc: utcNow(context), ...event });
}

/** This program as a journal names it: by its pid and start, which name one process for ever. */
export function thisTool(): { readonly toolPid: number; readonly toolStartTicks: string | null } {
  return { toolPid: process.pid, toolStartTicks: startTicks(process.pid) };
}
