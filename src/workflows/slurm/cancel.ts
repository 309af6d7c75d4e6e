import { setTimeout as sleep } from 'node:timers/promises';
import { cancelJob } from '../../adapters/schedulers/slurm/tools.ts';
import { requestStop, type RunFolder } from '../../adapters/run-store.ts';
import type { Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';

const retryMs = 5_000;
/** A controller that is away longer is left alone: the warning names the job. */
const patienceMs = 5 * 60_000;

export interface JobToCancel {
  readonly folder: RunFolder;
  readonly jobId: string;
  readonly name: string;
  readonly cluster: string | null;
  /** Whether it has ended meanwhile. */
  readonly isOver: () => boolean;
}

/** Cancels a job, and waits for a controller that is away. @returns whether Slurm took it. */
export async function cancelPatiently(context: Context, job: JobToCancel): Promise<boolean> {
  const untilMs = context.now() + patienceMs;
  for (let attempt = 0; !job.isOver() && !context.force.aborted; attempt += 1) {
    const answer = await cancelJob(accessOf(context, job.cluster), job.jobId, job.name);
    if (answer.ok) return true;
    if (attempt === 0) {
      // The training looks for it after every step, whoever else is away.
      await requestStop(job.folder).catch(() => undefined);
      tellFailure(context, job, answer.said, answer.isUnreachable);
    }
    if (!answer.isUnreachable || context.now() >= untilMs) return false;
    await sleep(retryMs, undefined, { signal: context.force }).catch(() => undefined);
  }
  return job.isOver();
}

function tellFailure(context: Context, { jobId }: JobToCancel, said: string, isUnreachable: boolean): void {
  context.emit({
    type: 'warning',
    message: `Slurm job ${jobId} could not be cancelled: ${firstLine(said)}`,
    hint: isUnreachable
      ? `Its training is asked to end after its current step, and cancelling is tried again. Later: scancel ${jobId}`
      : `Its training is asked to end after its current step. To end it: scancel ${jobId}`,
  });
}
