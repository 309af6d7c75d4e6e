import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogTail } from '../adapters/log-tail.ts';
import { findRunId, readRun } from '../adapters/stored-runs.ts';
import { runFiles } from '../core/results/run-files.ts';
import type { Context } from './context.ts';

const followMs = 200;

/** Hands the log of a run to `write`, and goes on while it runs if asked to. */
export async function printLog(
  context: Context,
  wanted: string,
  follow: boolean,
  write: (text: string) => void,
): Promise<void> {
  const runId = await findRunId(context.home, wanted);
  const tail = new LogTail(join(readRun(context.home, runId).path, runFiles.log));
  const flush = (lines: readonly string[]): void => {
    if (lines.length > 0) write(lines.join('\n'));
  };
  while (follow && readRun(context.home, runId).livePids.length > 0 && !context.signal.aborted) {
    flush(tail.read());
    await sleep(followMs);
  }
  flush(tail.end());
}
