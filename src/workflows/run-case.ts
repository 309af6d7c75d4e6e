import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DetachedProcess } from '../adapters/exec.ts';
import { LogTail } from '../adapters/log-tail.ts';
import { startTicks, stopRunProcesses } from '../adapters/processes.ts';
import {
  appendEvent,
  createRunFolder,
  requestStop,
  writePlan,
  writeRecord,
  type RunFolder,
} from '../adapters/run-store.ts';
import { startLocally } from '../adapters/schedulers/local.ts';
import type { ExitEvidence } from '../core/logs/events.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { buildRecord } from '../core/results/build-record.ts';
import type { RunRecord } from '../core/results/record.ts';
import { runFiles } from '../core/results/run-files.ts';
import type { Context } from './context.ts';
import { RunMonitor } from './run-monitor.ts';
import { toolIdentity } from './tool-identity.ts';
import { RunProgress } from './run-progress.ts';
import { redactEnvironment } from '../core/results/redact.ts';

/** How often the log is looked at. */
const pollMs = 50;
/** DeepSpeed's launcher takes up to 30 s to end its ranks (engines.md). */
const graceMs = 40_000;

export interface RunPosition {
  readonly index: number;
  readonly total: number;
}

/**
 * Runs one plan to its end and writes its record. How the run ends is data; only a run that could not be started
 * or stored throws. After an interruption the record is written first, then the signal's reason is thrown.
 */
export async function runCase(context: Context, plan: RunPlan, position: RunPosition): Promise<RunRecord> {
  const tool = await toolIdentity(context);
  const folder = await createRunFolder(context.home, plan.caseId, context.now());
  await writePlan(folder, plan, { tool, environment: redactEnvironment(context.env) });
  context.emit({ type: 'run-started', runId: folder.runId, title: plan.title, ...position });
  const monitor = new RunMonitor(plan, folder.runId, context.env);
  await monitor.start();
  const startedMs = context.now();
  const child = await startLocally(folder.path, folder.runId, context.env);
  const progress = new RunProgress(context, plan, folder.runId, startedMs);
  const ending = await followOrStop(context, folder, child, progress);
  const evidence = await monitor.stop();
  const record = buildRecord({
    plan,
    runId: folder.runId,
    tool,
    log: progress.log,
    exit: { ...evidence.exit, ...ending },
    conditions: evidence.conditions,
    memory: evidence.memory,
    startedMs,
    endedMs: context.now(),
    recovered: false,
  });
  await writeRecord(folder, record);
  context.emit({
    type: 'run-ended',
    runId: folder.runId,
    outcome: record.outcome,
    medianStepMs: record.statistics?.medianMs ?? null,
    elapsedMs: context.now() - startedMs,
  });
  context.signal.throwIfAborted();
  return record;
}

/** A run that cannot be followed, on a disk that became full for example, is stopped and never left behind. */
async function followOrStop(
  context: Context,
  folder: RunFolder,
  child: DetachedProcess,
  progress: RunProgress,
): Promise<Ending> {
  try {
    appendEvent(folder, startedEvent(context, child));
    return await follow(context, folder, child, progress);
  } catch (error) {
    await stopRunProcesses(child.pid, folder.runId, { graceMs, force: context.force });
    throw error;
  }
}

type Ending = Pick<ExitEvidence, 'exitCode' | 'signal' | 'stoppedBy'>;

/** Folds the log as it grows until the process is gone, and stops it where the plan or the user says so. */
async function follow(
  context: Context,
  folder: RunFolder,
  child: DetachedProcess,
  progress: RunProgress,
): Promise<Ending> {
  const tail = new LogTail(join(folder.path, runFiles.log));
  const leader = { gone: false };
  void child.exited.then(() => {
    leader.gone = true;
  });
  let converged = false;
  let killedFor: KillReason | null = null;
  while (!leader.gone) {
    await Promise.race([child.exited, sleep(pollMs)]);
    progress.push(tail.read());
    if (!converged && killedFor === null && progress.isStable()) {
      converged = true;
      appendEvent(folder, { type: 'stop-requested', utc: utc(context), reason: 'converged' });
      await requestStop(folder);
    }
    const verdict = context.signal.aborted ? 'interrupted' : progress.verdict();
    if (verdict !== null && killedFor === null) {
      killedFor = verdict;
      await kill(context, folder, child, verdict);
    }
  }
  progress.push(tail.end());
  const { exitCode, signal } = await child.exited;
  await leaveNothing(context, folder, { exitCode, signal });
  return { exitCode, signal, stoppedBy: killedFor ?? (converged ? 'converged' : null) };
}

type KillReason = 'interrupted' | 'timeout' | 'hang';

async function kill(
  context: Context,
  folder: RunFolder,
  child: DetachedProcess,
  reason: KillReason,
): Promise<void> {
  appendEvent(folder, { type: 'killed', utc: utc(context), reason });
  if (reason === 'interrupted') context.emit({ type: 'note', message: `stopping run ${folder.runId} ...` });
  await stopRunProcesses(child.pid, folder.runId, { graceMs, force: context.force });
}

/** The leader is gone: ranks that outlived it are stopped, and what cannot be is written down. */
async function leaveNothing(
  context: Context,
  folder: RunFolder,
  exit: { readonly exitCode: number | null; readonly signal: string | null },
): Promise<void> {
  const left = await stopRunProcesses(null, folder.runId, { graceMs: 5_000, force: context.force });
  if (left.length > 0) {
    appendEvent(folder, { type: 'left-behind', utc: utc(context), pids: left });
    context.emit({
      type: 'warning',
      message: `processes of run ${folder.runId} could not be killed: ${left.join(', ')}`,
      hint: 'They are in an uninterruptible system call; their GPU and port stay taken until it returns.',
    });
  }
  appendEvent(folder, { type: 'exited', utc: utc(context), ...exit });
}

function startedEvent(context: Context, child: DetachedProcess): Parameters<typeof appendEvent>[1] {
  return {
    type: 'started',
    utc: utc(context),
    pid: child.pid,
    startTicks: startTicks(child.pid),
    toolPid: process.pid,
    toolStartTicks: startTicks(process.pid),
  };
}

function utc(context: Context): string {
  return new Date(context.now()).toISOString();
}
