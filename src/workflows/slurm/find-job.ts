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
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';
import { isCancelAsked } from './withdraw.ts';

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
 * @throws SuperOffloadError 'environment' where the run is to be cancelled, and the controller is silent.
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
    if (!found.ok && isCancelAsked(folder)) throw cannotCancel(submitting.jobName, found.said);
    if (!found.ok && !isTold) {
      isTold = true;
      const message = `whether run ${folder.runId} was given to Slurm cannot be asked: ${firstLine(found.said)}`;
      context.emit({ type: 'warning', message, hint: 'It is asked again until there is an answer.' });
    }
    await sleep(retryMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

/** Whoever cancels waits for the answer: it is what is known, and what is left to do. */
function cannotCancel(name: string, said: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `run ${name} cannot be cancelled now: whether Slurm has its job cannot be asked: ${firstLine(said)}`,
    hint: `Cancel it again when the controller answers; or then: scancel --name=${name}`,
  });
}
