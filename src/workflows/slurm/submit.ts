import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendEvent, type RunFolder } from '../../adapters/run-store.ts';
import { writeTextAtomic } from '../../adapters/files.ts';
import {
  cancelJob,
  findByName,
  submitJob,
  type Answer,
  type SbatchRequest,
} from '../../adapters/schedulers/slurm/tools.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { submitEnvironment } from '../../core/slurm/environment.ts';
import { wholeJob } from '../../core/slurm/job-facts.ts';
import { jobScript } from '../../core/slurm/job-script.ts';
import { parseRefusal, type Submission } from '../../core/slurm/parse-sbatch.ts';
import type { SlurmPlan } from '../../core/slurm/slurm-plan.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';
import { untilCancelled, withdraw } from './withdraw.ts';

/** How long a silent controller is waited for before a job is given up. */
const patienceMs = 15 * 60_000;
const retryMs = [2_000, 5_000, 10_000, 20_000] as const;

/** Writes a run's job script into its folder. */
export async function writeJobScript(folder: RunFolder, plan: SlurmPlan): Promise<string> {
  const path = join(folder.path, runFiles.jobScript);
  await writeTextAtomic(path, jobScript(plan, { runId: folder.runId, folder: folder.path }), 0o755);
  return path;
}

/** What sbatch is started with for the job of one run. */
export function requestOf(context: Context, folder: RunFolder, { schedule }: SlurmPlan): SbatchRequest {
  return {
    script: join(folder.path, runFiles.jobScript),
    folder: folder.path,
    output: join(folder.path, runFiles.log),
    env: submitEnvironment(context.env, schedule.options),
    cluster: schedule.options['clusters'] ?? null,
  };
}

/**
 * Gives the job of a run to Slurm, and writes both the intention and the result into its journal: whatever happens in
 * between, the job is found again by its name.
 * @returns null where somebody cancelled the run before Slurm had answered.
 * @throws SuperOffloadError 'environment' where Slurm refuses it, or is silent for a quarter of an hour.
 */
export async function submitRun(
  context: Context,
  folder: RunFolder,
  plan: SlurmPlan,
): Promise<Submission | null> {
  await writeJobScript(folder, plan);
  const jobName = folder.runId;
  const beginUtc = utcNow(context);
  appendEvent(folder, { type: 'submitting', utc: beginUtc, jobName });
  const request = requestOf(context, folder, plan);
  const submission = await untilCancelled(folder, (signal) =>
    submitPatiently(context, request, jobName, beginUtc, signal),
  );
  if (submission === null) {
    await withdraw(context, { name: jobName, cluster: request.cluster });
    return null;
  }
  await keep(context, submission, jobName, () => {
    appendEvent(folder, { type: 'submitted', utc: utcNow(context), ...submission });
  });
  return submission;
}

/** A job that nobody could write down is not left behind. */
export async function keep(
  context: Context,
  { jobId, cluster }: Submission,
  name: string,
  note: () => void,
): Promise<void> {
  try {
    note();
  } catch (error) {
    await cancelJob(accessOf(context, cluster), jobId, name);
    throw error;
  }
}

/**
 * Submits, and waits for a controller that is away; a job that did arrive is not sent twice.
 * @param cancelled ends the waiting at once, sbatch included, with its reason
 */
export async function submitPatiently(
  context: Context,
  request: SbatchRequest,
  jobName: string,
  beginUtc: string,
  cancelled: AbortSignal = new AbortController().signal,
): Promise<Submission> {
  const untilMs = context.now() + patienceMs;
  const signal = AbortSignal.any([context.signal, cancelled]);
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    const answer = await submitJob(request, cancelled);
    if (answer.ok) return answer.value;
    cancelled.throwIfAborted();
    if (!answer.isUnreachable || context.now() >= untilMs) throw refused(answer);
    if (attempt === 0) tellSilence(context, answer.said);
    const waitMs = retryMs[attempt] ?? retryMs[retryMs.length - 1] ?? 0;
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    const access = { ...accessOf(context, request.cluster), signal: cancelled };
    const found = await findByName(access, jobName, beginUtc);
    if (found.ok && found.value !== null)
      return { jobId: wholeJob(found.value.jobId), cluster: request.cluster };
  }
}

function tellSilence(context: Context, said: string): void {
  context.emit({
    type: 'warning',
    message: `Slurm does not take the job: ${firstLine(said)}`,
    hint: `It is tried again for ${patienceMs / 60_000} minutes.`,
  });
}

/** The error for an sbatch that failed. */
export function refused(answer: Extract<Answer<unknown>, { ok: false }>): SuperOffloadError {
  if (answer.isMissing) return noSlurm('sbatch');
  const { problem, expected } = parseRefusal(answer.said);
  return new SuperOffloadError({
    code: 'environment',
    message: `Slurm refuses the job: ${problem}`,
    ...(expected === undefined ? {} : { hint: `Give ${expected}.` }),
  });
}

export function noSlurm(tool: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `there is no ${tool} here: runs cannot be given to Slurm from this machine`,
    hint: 'Start superoffload on a login node of the cluster, or use another --scheduler.',
  });
}
