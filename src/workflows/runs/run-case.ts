import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../adapters/free-port.ts';
import { thisPlace } from '../../adapters/place.ts';
import {
  createRunFolder,
  removeRun,
  writeLock,
  writePlan,
  type RunFolder,
} from '../../adapters/run-store.ts';
import { lockText } from '../../adapters/stack/lock-text.ts';
import { readEvents } from '../../adapters/stored-runs.ts';
import { withPort, type RunPlan } from '../../core/plan/run-plan.ts';
import { tracedStep } from '../../core/plan/traced-step.ts';
import type { RunRecord, ToolIdentity } from '../../core/results/record.ts';
import { holdsSecret, redactEnvironment, redactText } from '../../core/results/redact.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { noteEvent, thisTool } from './journal.ts';
import { toolIdentity } from '../tool-identity.ts';
import { followRun } from './follow-run.ts';
import { readyData } from './run-data.ts';
import { observerOf, type RunObserver } from './run-observer.ts';
import { startRun } from './start-run.ts';
import type { StartedRun } from './started-run.ts';

export interface RunPosition {
  readonly index: number;
  readonly total: number;
}

/**
 * Runs one plan to its end and writes its record. How the run ends is data; only a run that could not be started
 * or stored throws. After an interruption the record is written first, then the signal's reason is thrown.
 * @param onFolder told the run's id before anything of it is started: a journal that has it loses no run
 * @param start starts it in another way than its plan says alone, as one of many
 */
export async function runCase(
  context: Context,
  plan: RunPlan,
  position: RunPosition,
  onFolder?: (runId: string) => Promise<void>,
  start: typeof startRun = startRun,
): Promise<RunRecord> {
  await readyData(context, plan);
  const tool = await toolIdentity(context);
  const attempt = await withFreePort(plan);
  const folder = await prepareRun(context, attempt, tool);
  await onFolder?.(folder.runId);
  const observer = observerOf(attempt, folder.runId, context.env);
  const run = await startObserved(context, folder, observer, () => start(context, folder, attempt));
  context.emit({ type: 'run-started', runId: folder.runId, title: plan.title, ...position });
  const record = await followRun(context, run, { plan: attempt, tool, observer, recovered: false });
  tellTimeline(context, attempt, folder);
  return record;
}

/** Whoever asked for a timeline is told where it is, and what draws it. */
function tellTimeline(context: Context, plan: RunPlan, { path, runId }: RunFolder): void {
  const step = tracedStep(plan);
  if (step === null) return;
  const file = join(path, runFiles.timeline);
  context.emit(
    existsSync(file)
      ? {
          type: 'note',
          message: `timeline of step ${step}: ${file}; to draw it: superoffload figure timeline --from ${runId}`,
        }
      : {
          type: 'warning',
          message: `run ${runId} has no timeline: it ended before step ${step} was written`,
        },
  );
}

/** Ports are free or not at the moment of the start; on other machines whoever starts the run there chooses. */
async function withFreePort(plan: RunPlan): Promise<RunPlan> {
  const isOurs = plan.port !== null && plan.schedule === undefined;
  return isOurs ? withPort(plan, await freePort()) : plan;
}

/** Makes the run's folder. The journal is first: from then on everybody knows whose run it is. */
export async function prepareRun(
  context: Context,
  plan: RunPlan,
  tool: ToolIdentity | null,
): Promise<RunFolder> {
  const folder = await createRunFolder(context.home, plan.caseId, context.now());
  noteEvent(context, folder, { type: 'starting', ...thisTool(), place: thisPlace() });
  if (holdsSecret(plan.command)) {
    context.emit({
      type: 'warning',
      message: `the command holds what looks like a secret, and ${folder.path} keeps it as it is: it must be possible to repeat the run`,
      hint: 'Give it through the environment instead: of the variables only the names of secrets are stored.',
    });
  }
  await writePlan(folder, plan, { tool, environment: redactEnvironment(context.env) });
  const lock = plan.stack === null ? null : await lockText(context.home, plan.stack);
  if (lock !== null) await writeLock(folder, redactText(lock));
  return folder;
}

/** A signal or an error that came before anything was started: then there is no run, and no folder of it. */
async function startObserved(
  context: Context,
  folder: RunFolder,
  observer: RunObserver,
  start: () => Promise<StartedRun>,
): Promise<StartedRun> {
  try {
    await observer.start();
    context.signal.throwIfAborted();
    return await start();
  } catch (error) {
    await observer.stop();
    const isBegun = readEvents(folder.path).some(({ type }) => type !== 'starting');
    if (!isBegun) await removeRun(context.home, folder.runId).catch(() => undefined);
    throw error;
  }
}
