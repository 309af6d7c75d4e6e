import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFileErrors } from '../../adapters/files.ts';
import { readJournal, readRun, type StoredRun } from '../../adapters/stored-runs.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { runNamed } from '../records/named-runs.ts';
import { attachRun } from './attach.ts';

const pollMs = 300;
/** Most runs have ended by then; of the others the user hears who is at it. */
const quietMs = 5_000;

/**
 * Ends a run wherever it is: by the superoffload that follows it, or in its place where that is gone. Its record is
 * written, as `cancelled`.
 * @returns null for a run that was never started.
 * @throws SuperOffloadError 'usage' for a run that has ended already.
 */
export async function cancelRun(context: Context, wanted: string): Promise<RunRecord | null> {
  const run = readRun(context.home, await runNamed(context, wanted));
  if (run.record !== null) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `run ${run.runId} has ended: ${run.record.outcome.class}`,
      hint: `see: superoffload runs show ${run.runId}`,
    });
  }
  await withFileErrors(run.path, () => writeFile(join(run.path, runFiles.cancel), ''));
  return run.watched ? recordOfOther(context, run) : attachRun(context, run.runId);
}

/** Its tool sees the request within a second, and ends the run: up to a minute where ranks are slow to die. */
async function recordOfOther(context: Context, { runId }: StoredRun): Promise<RunRecord | null> {
  const tellMs = context.now() + quietMs;
  let isTold = false;
  while (readJournal(context.home, runId).watched) {
    if (!isTold && context.now() >= tellMs) {
      isTold = true;
      const message = `the superoffload that follows run ${runId} was asked to end it, and is at it: its own messages say what it waits for`;
      context.emit({ type: 'note', message });
    }
    context.signal.throwIfAborted();
    const { record } = readRun(context.home, runId);
    if (record !== null) return record;
    await sleep(pollMs);
  }
  return attachRun(context, runId);
}
