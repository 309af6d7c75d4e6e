import { join } from 'node:path';
import { LogTail } from '../../adapters/log-tail.ts';
import type { StoredRun } from '../../adapters/stored-runs.ts';
import { createFold } from '../../core/logs/fold.ts';
import type { ExitEvidence } from '../../core/logs/events.ts';
import { buildRecord } from '../../core/results/build-record.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { isNeverStarted } from './never-started.ts';
import { unobserved } from './observation.ts';
import type { KillReason } from './started-run.ts';

/**
 * Rebuilds the record of a run whose tool was killed, from its plan, journal and log.
 * @returns null when it still runs or may run on another machine, or when it was never started.
 */
export function recoverRecord(run: StoredRun): RunRecord | null {
  if (run.plan === null || run.elsewhere || run.livePids.length > 0 || mayStillRun(run)) return null;
  if (isNeverStarted(run)) return null;
  const fold = createFold();
  for (const line of new LogTail(join(run.path, runFiles.log)).end()) fold.push(line);
  const started = run.events.find((event) => event.type === 'started');
  const exited = run.events.find((event) => event.type === 'exited');
  const { exit, conditions, memory } = unobserved(run.plan);
  return buildRecord({
    plan: run.plan,
    runId: run.runId,
    tool: run.tool,
    log: fold.state,
    exit: { ...exit, ...endInJournal(run) },
    conditions,
    memory,
    startedMs: started === undefined ? utcOfRunId(run.runId) : Date.parse(started.utc),
    endedMs: exited === undefined ? null : Date.parse(exited.utc),
    recovered: true,
    environment: run.environment,
    events: run.events,
  });
}

/** On other machines only their scheduler knows: `attachRun` asks it, and the journal hears of the end. */
function mayStillRun({ plan, events }: StoredRun): boolean {
  const isElsewhere = plan?.schedule !== undefined;
  return isElsewhere && !events.some(({ type }) => type === 'exited' || type === 'job-ended');
}

/** What the journal proves about the end. */
function endInJournal({
  events,
}: StoredRun): Pick<ExitEvidence, 'exitCode' | 'signal' | 'stoppedBy' | 'scheduler'> {
  const exited = events.find((event) => event.type === 'exited');
  const killed = events.find((event) => event.type === 'killed');
  const stopRequested = events.find((event) => event.type === 'stop-requested');
  return {
    exitCode: exited?.exitCode ?? null,
    signal: exited?.signal ?? null,
    stoppedBy: killed === undefined ? (stopRequested?.reason ?? null) : stoppedBy(killed.reason),
    scheduler: events.findLast((event) => event.type === 'job-ended')?.verdict ?? null,
  };
}

/** That the world was another one, the log itself proves (core/logs/outcome.ts). */
export function stoppedBy(reason: KillReason): Exclude<KillReason, 'wrong_world'> | null {
  return reason === 'wrong_world' ? null : reason;
}

/** The folder's name begins with `20260102T030405Z`. */
function utcOfRunId(runId: string): number {
  return Date.parse(runId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z'));
}
