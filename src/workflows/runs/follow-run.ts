import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogTail } from '../../adapters/log-tail.ts';
import { requestStop, writeRecord } from '../../adapters/run-store.ts';
import { readEvents, storedEnvironment } from '../../adapters/stored-runs.ts';
import type { ExitEvidence } from '../../core/logs/events.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { buildRecord } from '../../core/results/build-record.ts';
import type { RunRecord, ToolIdentity } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { noteEvent } from './journal.ts';
import { stoppedBy } from './recover.ts';
import type { RunObserver } from './run-observer.ts';
import { RunProgress } from './run-progress.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

/** How often the log is looked at: on this machine at no cost, on a shared file system of many jobs rarely. */
const localPollMs = 50;
const remotePollMs = 500;
/** How often somebody's request to cancel is looked for. */
const cancelPollMs = 500;

export interface FollowedRun {
  readonly plan: RunPlan;
  readonly tool: ToolIdentity | null;
  readonly observer: RunObserver;
  /** True where another tool started it. */
  readonly recovered: boolean;
}

/**
 * Follows a started run to its end and writes its record. How it ends is data.
 * @throws the signal's reason after an interruption, once the record is written; SuperOffloadError where the run can
 *   be followed or stored no more, once it is stopped.
 */
export async function followRun(
  context: Context,
  run: StartedRun,
  { plan, tool, observer, recovered }: FollowedRun,
): Promise<RunRecord> {
  const { runId } = run.folder;
  const begunMs = context.now();
  const progress = new RunProgress(context, plan, runId, () => run.startedMs, observer.memoryNow);
  const ending = await followOrStop(context, run, progress, plan);
  const evidence = await observer.stop();
  const record = buildRecord({
    plan,
    runId,
    tool,
    log: progress.log,
    exit: { ...evidence.exit, ...ending.exit, oomKills: ending.oomKills ?? evidence.exit.oomKills },
    conditions: evidence.conditions,
    memory: evidence.memory,
    startedMs: run.startedMs ?? begunMs,
    endedMs: context.now(),
    recovered,
    environment: storedEnvironment(run.folder.path),
    events: readEvents(run.folder.path),
  });
  await writeRecord(run.folder, record);
  context.emit({
    type: 'run-ended',
    runId,
    outcome: record.outcome,
    medianStepMs: record.statistics?.medianMs ?? null,
    elapsedMs: record.durationMs ?? 0,
  });
  context.signal.throwIfAborted();
  return record;
}

interface Ending {
  readonly exit: Pick<ExitEvidence, 'exitCode' | 'signal' | 'stoppedBy' | 'scheduler' | 'failedFirst'>;
  readonly oomKills: number | null;
}

/** A run that cannot be followed, on a disk that became full for example, is stopped and never left behind. */
async function followOrStop(
  context: Context,
  run: StartedRun,
  progress: RunProgress,
  plan: RunPlan,
): Promise<Ending> {
  try {
    run.noteStart();
    const killedFor = await follow(context, run, progress, plan);
    await run.leaveNothing();
    return endingOf(await run.ended, killedFor);
  } catch (error) {
    await run.stop();
    throw error;
  } finally {
    run.release();
  }
}

type Stop = KillReason | AskedEnd | null;

/** The run is asked to end by itself, after the step that it is at. */
type AskedEnd = NonNullable<ReturnType<RunProgress['mayEnd']>>;

function isAsked(stop: Stop): stop is AskedEnd {
  return stop === 'converged' || stop === 'abandoned';
}

function endingOf({ oomKills, ...end }: RunEnd, stop: Stop): Ending {
  const stopped = stop === null || isAsked(stop) ? stop : stoppedBy(stop);
  return { exit: { ...end, stoppedBy: stopped }, oomKills };
}

/** Folds the log as it grows until the run has ended, and stops it where the plan or the user says so. */
async function follow(
  context: Context,
  run: StartedRun,
  progress: RunProgress,
  plan: RunPlan,
): Promise<Stop> {
  const tail = new LogTail(join(run.folder.path, runFiles.log));
  const pollMs = plan.schedule === undefined ? localPollMs : remotePollMs;
  const cancelled = cancelWatch(context, run);
  const waiting = waitingTold(context, run);
  const end = { seen: false };
  void run.ended.then(() => {
    end.seen = true;
  });
  let stop: Stop = null;
  while (!end.seen) {
    await Promise.race([run.ended, sleep(pollMs)]);
    progress.push(tail.read());
    waiting();
    if (stop === null) stop = await askToEnd(context, run, progress);
    const verdict = context.signal.aborted ? 'interrupted' : cancelled() ? 'cancelled' : progress.verdict();
    if (verdict === null || (stop !== null && !isAsked(stop))) continue;
    stop = verdict;
    if (verdict === 'interrupted')
      context.emit({ type: 'note', message: `stopping run ${run.folder.runId} ...` });
    await run.kill(verdict);
  }
  progress.push(tail.end());
  return stop;
}

async function askToEnd(
  context: Context,
  { folder }: StartedRun,
  progress: RunProgress,
): Promise<AskedEnd | null> {
  const reason = progress.mayEnd();
  if (reason === null) return null;
  noteEvent(context, folder, { type: 'stop-requested', reason });
  await requestStop(folder);
  return reason;
}

/** @returns whether somebody asked to end the run; the file is looked for twice a second. */
function cancelWatch(context: Context, { folder }: StartedRun): () => boolean {
  const path = join(folder.path, runFiles.cancel);
  let lookedMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (context.now() - lookedMs < cancelPollMs) return false;
    lookedMs = context.now();
    return existsSync(path);
  };
}

/** Tells what a run waits for, whenever that changes. */
function waitingTold(context: Context, run: StartedRun): () => void {
  const begunMs = context.now();
  let told: string | null = null;
  return () => {
    const { waitingFor } = run;
    if (waitingFor === null || waitingFor === told) return;
    told = waitingFor;
    const { runId } = run.folder;
    context.emit({ type: 'run-waiting', runId, waitingFor, elapsedMs: context.now() - begunMs });
  };
}
