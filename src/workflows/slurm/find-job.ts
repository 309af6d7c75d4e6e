import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findByName } from '../../adapters/schedulers/slurm/tools.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { wholeJob } from '../../core/slurm/job-facts.ts';
import { parseJobJournal, type JobJournal } from '../../core/slurm/job-journal.ts';
import type { Submission } from '../../core/slurm/parse-sbatch.ts';
import type { Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';

/** An sbatch that was on its way when its tool was killed arrives within this, or never. */
const onItsWayMs = 30_000;
const retryMs = 5_000;

/** What a job wrote about itself so far. */
export function readJobJournal({ path }: Pick<RunFolder, 'path'>): JobJournal {
  try {
    return parseJobJournal(readFileSync(join(path, runFiles.jobEvents), 'utf8'));
  } catch {
    return parseJobJournal('');
  }
}

/**
 * The job of a run whose tool is gone: by the run's journal, by the job's own, by its name.
 * @returns null where none was ever submitted. A silent controller is waited for: to guess would run it twice.
 */
export async function findJob(
  context: Context,
  folder: RunFolder,
  events: readonly RunEvent[],
  cluster: string | null,
): Promise<Submission | null> {
  const submitted = events.findLast((event) => event.type === 'submitted');
  if (submitted !== undefined) return submitted;
  const submitting = events.findLast((event) => event.type === 'submitting');
  if (submitting === undefined) return null;
  const own = readJobJournal(folder).jobId;
  if (own !== null) return { jobId: own, cluster };
  let isTold = false;
  for (;;) {
    context.signal.throwIfAborted();
    const found = await findByName(accessOf(context, cluster), submitting.jobName, submitting.utc);
    if (found.ok && found.value !== null) {
      const task = submitting.task === undefined ? '' : `_${submitting.task}`;
      return { jobId: `${wholeJob(found.value.jobId)}${task}`, cluster };
    }
    if (found.ok && context.now() - Date.parse(submitting.utc) > onItsWayMs) return null;
    if (!found.ok && !isTold) {
      isTold = true;
      const message = `whether run ${folder.runId} was given to Slurm cannot be asked: ${firstLine(found.said)}`;
      context.emit({ type: 'warning', message, hint: 'It is asked again until there is an answer.' });
    }
    await sleep(retryMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}
