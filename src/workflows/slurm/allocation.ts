import { capture } from '../../adapters/exec.ts';
import { cancelJob, showJob } from '../../adapters/schedulers/slurm/tools.ts';
import type { LauncherName, System } from '../../core/experiment/case.ts';
import type { NodeLayout } from '../../core/launch/layout.ts';
import type { SchedulingFlags } from '../../core/launch/scheduling-flags.ts';
import { submitEnvironment } from '../../core/slurm/environment.ts';
import { allocationWords } from '../../core/slurm/options.ts';
import { parseSalloc } from '../../core/slurm/parse-sbatch.ts';
import { slurmSchedule } from '../../core/slurm/schedule.ts';
import { hopelessReason, phaseOf } from '../../core/slurm/states.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { accessOf, pollerOf } from './cluster.ts';
import { allocationNodes } from './node-pool.ts';
import { refused } from './submit.ts';

export interface AllocationRequest {
  readonly system: System;
  /** Large enough for the largest run. */
  readonly layout: NodeLayout;
  readonly flags: SchedulingFlags;
  readonly launcher: LauncherName;
  readonly exclusiveHost?: boolean;
  /** Told from the first moment: a tool that is killed while it waits has left a job of this name. */
  readonly name: string;
}

/** Nodes that are held until they are given back: many runs go through them. */
export interface Allocation {
  readonly jobId: string;
  readonly nodes: readonly string[];
}

const lookMs = 1_000;

/**
 * Gets nodes from Slurm by `salloc --no-shell`, however long the queue is.
 * @throws SuperOffloadError 'usage' for faulty options, 'environment' where Slurm refuses, or would never grant it;
 *   the signal's reason after an interruption: then nothing is held.
 */
export async function openAllocation(context: Context, request: AllocationRequest): Promise<Allocation> {
  const { name, exclusiveHost = false } = request;
  const read = slurmSchedule({ ...request, exclusiveHost });
  if (!read.ok) throw faultsError('usage', read.faults);
  const { options } = read.schedule;
  const giveUp = new AbortController();
  const pending = { jobId: null as string | null, name };
  const unwatch = watchQueue(context, pending, giveUp);
  const words = ['--no-shell', `--job-name=${name}`, ...allocationWords(options)];
  const lines: string[] = [];
  const result = await capture(['salloc', ...words], {
    env: submitEnvironment(context.env, options),
    cwd: '/',
    signal: AbortSignal.any([context.signal, giveUp.signal]),
    onLine: (line) => {
      lines.push(line);
      pending.jobId = parseSalloc(line)?.jobId ?? pending.jobId;
    },
  });
  unwatch();
  const { jobId } = pending;
  if (result.exitCode === 0 && jobId !== null && !context.signal.aborted)
    return { jobId, nodes: await allocationNodes(context, jobId) };
  if (jobId !== null) await cancelJob(accessOf(context, null), jobId, name);
  context.signal.throwIfAborted();
  if (giveUp.signal.aborted) throw giveUp.signal.reason;
  const said = result.startError ?? lines.join('\n').replaceAll(/^salloc: /gm, 'sbatch: ');
  const isMissing = result.startError?.includes('ENOENT') ?? false;
  throw refused({ ok: false, isUnreachable: false, isMissing, said });
}

/**
 * While salloc waits: says for what, and gives up where Slurm would hold it for ever.
 * @returns what ends the watch: a poller that is left asking keeps the program from its end
 */
function watchQueue(
  context: Context,
  pending: { readonly jobId: string | null; readonly name: string },
  giveUp: AbortController,
): () => void {
  let watched: ReturnType<ReturnType<typeof pollerOf>['watch']> | null = null;
  let told = '';
  const look = (): void => {
    if (pending.jobId === null) return;
    watched ??= pollerOf(context, null).watch(pending.jobId, pending.name);
    const { controller, times } = watched.word();
    if (controller === null || phaseOf(controller) !== 'pending') return;
    const why = hopelessReason(controller);
    const reason = controller.reason ?? 'no reason yet';
    if (why !== undefined && times >= 2) {
      const message = `Slurm would never grant the allocation: ${reason} (${why})`;
      giveUp.abort(new SuperOffloadError({ code: 'environment', message }));
    } else if (reason !== told) {
      told = reason;
      context.emit({ type: 'note', message: `allocation ${pending.jobId} is pending: ${reason}` });
    }
  };
  const timer = setInterval(look, lookMs);
  return () => {
    clearInterval(timer);
    watched?.stop();
  };
}

/** Whether an allocation of before is still there to run in. */
export async function isAllocationOpen(context: Context, jobId: string): Promise<boolean> {
  const answer = await showJob(accessOf(context, null), jobId);
  return answer.ok && answer.value !== null && phaseOf(answer.value) === 'running';
}

/** Gives the nodes back, whatever still runs there. */
export async function closeAllocation(context: Context, { jobId }: Pick<Allocation, 'jobId'>): Promise<void> {
  const answer = await cancelJob(accessOf(context, null), jobId, null);
  if (answer.ok) return;
  context.emit({
    type: 'warning',
    message: `allocation ${jobId} could not be given back: ${answer.said}`,
    hint: `It ends by its time limit, or by: scancel ${jobId}`,
  });
}

/** The allocation that this program was started in, if it was: its runs are steps there. */
export function surroundingAllocation(env: Context['env']): string | null {
  const jobId = env['SLURM_JOB_ID'] ?? '';
  return /^\d+$/.test(jobId) ? jobId : null;
}
