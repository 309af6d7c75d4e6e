import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogTail } from '../../adapters/log-tail.ts';
import { thisPlace } from '../../adapters/place.ts';
import { startTicks } from '../../adapters/processes.ts';
import {
  appendEvent,
  createRunFolder,
  removeRun,
  requestStop,
  writePlan,
  writeRecord,
  type RunFolder,
} from '../../adapters/run-store.ts';
import type { ExitEvidence } from '../../core/logs/events.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { buildRecord } from '../../core/results/build-record.ts';
import type { RunRecord, ToolIdentity } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { utcNow, type Context } from '../context.ts';
import { readyData } from './run-data.ts';
import { RunMonitor } from './run-monitor.ts';
import { toolIdentity } from '../tool-identity.ts';
import { RunProgress } from './run-progress.ts';
import { LocalRun } from './local-run.ts';
import type { KillReason, StartedRun } from './started-run.ts';
import { holdsSecret, redactEnvironment } from '../../core/results/redact.ts';

/** How often the log is looked at. */
const pollMs = 50;

export interface RunPosition {
  readonly index: number;
  readonly total: number;
}

/**
 * Runs one plan to its end and writes its record. How the run ends is data; only a run that could not be started
 * or stored throws. After an interruption the record is written first, then the signal's reason is thrown.
 */
export async function runCase(context: Context, plan: RunPlan, position: RunPosition): Promise<RunRecord> {
  await readyData(context, plan);
  const tool = await toolIdentity(context);
  const folder = await prepare(context, plan, tool);
  const monitor = new RunMonitor(plan, folder.runId, context.env);
  await monitor.start();
  await leaveUnstarted(context, folder);
  const startedMs = context.now();
  const run = await LocalRun.start(context, folder);
  context.emit({ type: 'run-started', runId: folder.runId, title: plan.title, ...position });
  const progress = new RunProgress(context, plan, folder.runId, startedMs, monitor.memoryNow);
  const ending = await followOrStop(context, run, progress);
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

/** Makes the run's folder. The journal is first: from then on everybody knows whose run it is. */
async function prepare(context: Context, plan: RunPlan, tool: ToolIdentity): Promise<RunFolder> {
  const folder = await createRunFolder(context.home, plan.caseId, context.now());
  appendEvent(folder, {
    type: 'starting',
    utc: utcNow(context),
    toolPid: process.pid,
    toolStartTicks: startTicks(process.pid),
    place: thisPlace(),
  });
  if (holdsSecret(plan.command)) {
    context.emit({
      type: 'warning',
      message: `the command holds what looks like a secret, and ${folder.path} keeps it as it is: it must be possible to repeat the run`,
      hint: 'Give it through the environment instead: of the variables only the names of secrets are stored.',
    });
  }
  await writePlan(folder, plan, { tool, environment: redactEnvironment(context.env) });
  return folder;
}

/** A signal that came before anything was started: then there is no run. */
async function leaveUnstarted(context: Context, folder: RunFolder): Promise<void> {
  if (!context.signal.aborted) return;
  await removeRun(context.home, folder.runId);
  context.signal.throwIfAborted();
}

/** A run that cannot be followed, on a disk that became full for example, is stopped and never left behind. */
async function followOrStop(context: Context, run: StartedRun, progress: RunProgress): Promise<Ending> {
  try {
    run.noteStart();
    return await follow(context, run, progress);
  } catch (error) {
    await run.stop();
    throw error;
  } finally {
    run.release();
  }
}

type Ending = Pick<ExitEvidence, 'exitCode' | 'signal' | 'stoppedBy'>;

/** Folds the log as it grows until the process is gone, and stops it where the plan or the user says so. */
async function follow(context: Context, run: StartedRun, progress: RunProgress): Promise<Ending> {
  const { folder } = run;
  const tail = new LogTail(join(folder.path, runFiles.log));
  const leader = { gone: false };
  void run.ended.then(() => {
    leader.gone = true;
  });
  let converged = false;
  let killedFor: KillReason | null = null;
  while (!leader.gone) {
    await Promise.race([run.ended, sleep(pollMs)]);
    progress.push(tail.read());
    if (!converged && killedFor === null && progress.isStable()) {
      converged = true;
      appendEvent(folder, { type: 'stop-requested', utc: utcNow(context), reason: 'converged' });
      await requestStop(folder);
    }
    const verdict = context.signal.aborted ? 'interrupted' : progress.verdict();
    if (verdict !== null && killedFor === null) {
      killedFor = verdict;
      if (verdict === 'interrupted')
        context.emit({ type: 'note', message: `stopping run ${folder.runId} ...` });
      await run.kill(verdict);
    }
  }
  progress.push(tail.end());
  await run.leaveNothing();
  return { ...(await run.ended), stoppedBy: killedFor ?? (converged ? 'converged' : null) };
}
