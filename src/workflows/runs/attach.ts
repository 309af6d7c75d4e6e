import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogTail } from '../../adapters/log-tail.ts';
import { thisPlace } from '../../adapters/place.ts';
import { runsFolder } from '../../adapters/run-store.ts';
import {
  readEvents,
  readJournal,
  readRun,
  watcherOf,
  type StoredRun,
  type Watcher,
} from '../../adapters/stored-runs.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { noteEvent, thisTool } from './journal.ts';
import { readJobJournal } from '../slurm/find-job.ts';
import { followRun } from './follow-run.ts';
import { wasStarted } from './never-started.ts';
import { loadRun } from './runs.ts';
import { blindObserver } from './run-observer.ts';
import type { RunPosition } from './run-case.ts';
import { RunProgress } from './run-progress.ts';
import { attachStarted } from './start-run.ts';

const pollMs = 500;

/**
 * Follows a run that another superoffload started to its end, and sees to its record: in place of a tool that is gone,
 * or beside one that is still at work.
 * @param runId the whole id
 * @returns null for a run that was never started: nothing of it can be anywhere.
 * @throws SuperOffloadError 'environment' for a run of another machine that only that machine can look at.
 */
export async function attachRun(
  context: Context,
  runId: string,
  position: RunPosition = { index: 1, total: 1 },
): Promise<RunRecord | null> {
  for (;;) {
    const run = await unwatched(context, runId);
    if (run.record !== null) return run.record;
    if (run.plan === null) return null;
    if (run.elsewhere && hasProcessesThere(run, run.plan)) throw onlyElsewhere(runId);
    const started = await attachStarted(context, run, run.plan, run.events);
    if (started === null) return wasStarted(run) ? (await loadRun(context, runId)).record : null;
    noteEvent(context, run, { type: 'attached', ...thisTool(), place: thisPlace() });
    const watcher = watcherOf(readEvents(run.path));
    if (watcher !== null && !isThisTool(watcher)) {
      // Another one took over at the same moment, and was first.
      started.release();
      continue;
    }
    context.emit({ type: 'run-started', runId, title: run.plan.title, ...position });
    const { plan, tool } = run;
    return followRun(context, started, { plan, tool, observer: blindObserver(plan), recovered: true });
  }
}

/** The tool that follows it writes its record: nobody else may, until it is gone. */
async function unwatched(context: Context, runId: string): Promise<StoredRun> {
  const record = join(runsFolder(context.home), runId, runFiles.record);
  let show: (() => void) | undefined;
  for (;;) {
    const watcher = watcherOf(readJournal(context.home, runId).events);
    // A campaign lives on when a run of it has its record.
    if (watcher === null || isThisTool(watcher) || existsSync(record)) return readRun(context.home, runId);
    show ??= progressOf(context, runId);
    show?.();
    context.signal.throwIfAborted();
    await sleep(pollMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

/** Tells what the run's log tells, as the tool that follows it does. @returns undefined before there is a plan */
function progressOf(context: Context, runId: string): (() => void) | undefined {
  const { plan, path, events } = readRun(context.home, runId);
  if (plan === null) return undefined;
  const started = events.find(({ type }) => type === 'started');
  const startedMs = started === undefined ? context.now() : Date.parse(started.utc);
  const { memoryNow } = blindObserver(plan);
  const progress = new RunProgress(context, plan, runId, () => startedMs, memoryNow);
  const tail = new LogTail(join(path, runFiles.log));
  context.emit({ type: 'run-started', runId, title: plan.title, index: 1, total: 1 });
  return () => {
    progress.push(tail.read());
  };
}

function isThisTool({ toolPid, toolStartTicks }: Watcher): boolean {
  const own = thisTool();
  return toolPid === own.toolPid && toolStartTicks === own.toolStartTicks;
}

/** A run of that machine alone, or a step of an allocation, whose srun is there, and which did not say that it ended. */
function hasProcessesThere(run: StoredRun, { schedule }: RunPlan): boolean {
  if (schedule === undefined) return true;
  const isStep = schedule.scheduler === 'slurm' && schedule.allocation !== null;
  return isStep && readJobJournal(run).endUtc === null;
}

function onlyElsewhere(runId: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `run ${runId} was started on another machine or in another container, and may be running there`,
    hint: 'Follow it from there.',
  });
}
