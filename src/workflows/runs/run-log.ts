import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileTail } from '../../adapters/log-tail.ts';
import { mayRunOnSchedule, readJournal, readRun } from '../../adapters/stored-runs.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { runNamed } from '../records/named-runs.ts';

const followMs = 200;

/**
 * Hands the log of a run to `write` as it is, in pieces that are valid during the call, and goes on while it runs
 * if asked to.
 */
export async function printLog(
  context: Context,
  wanted: string,
  follow: boolean,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  const runId = await runNamed(context, wanted);
  const { path } = readRun(context.home, runId);
  const log = new FileTail(join(path, runFiles.log));
  const copy = (): void => {
    for (const piece of log.pieces()) write(piece);
  };
  const goesOn = (): boolean => {
    const { livePids, elsewhere, events } = readJournal(context.home, runId);
    return livePids.length > 0 || elsewhere || mayRunOnSchedule(path, events);
  };
  while (follow && !context.signal.aborted && goesOn()) {
    copy();
    await sleep(followMs);
  }
  copy();
}
