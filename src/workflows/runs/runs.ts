import { join } from 'node:path';
import { removeRun, runsFolder, writeRecord } from '../../adapters/run-store.ts';
import { mayRunOnSchedule, readJournal, readRun, type StoredRun } from '../../adapters/stored-runs.ts';
import { loadStack } from '../../adapters/stack/store.ts';
import { quoteWord } from '../../core/launch/quote.ts';
import { stackReference } from '../../core/plan/stack-reference.ts';
import type { RunPlan, StackReference } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { describeReferenceChange, installCommand } from '../../core/stack/reference.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { runNamed, runsNamed } from '../records/named-runs.ts';
import { recoverRecord } from './recover.ts';
import { runCase } from './run-case.ts';
import { checkDrift } from '../stacks/usable-stack.ts';

export interface LoadedRun {
  readonly run: StoredRun;
  readonly record: RunRecord | null;
}

/**
 * Reads a run; the record of one whose tool was killed is rebuilt from plan, journal and log.
 * @param keep write a record that was rebuilt into the run's folder
 */
export async function loadRun(
  context: Context,
  wanted: string,
  { keep }: { readonly keep: boolean } = { keep: true },
): Promise<LoadedRun> {
  const run = readRun(context.home, await runNamed(context, wanted));
  if (run.record !== null) return { run, record: run.record };
  // Between the end of the processes and the record lies the tool's own work: it is not ours to do.
  const record = run.watched || run.elsewhere ? null : recoverRecord(run);
  if (record !== null && keep) await keepRecord(run, record);
  return { run, record };
}

/** On a full or read-only disk the record is not kept: whoever reads the run next rebuilds it. */
async function keepRecord(run: StoredRun, record: RunRecord): Promise<void> {
  try {
    await writeRecord(run, record);
  } catch (error) {
    if (!(error instanceof SuperOffloadError)) throw error;
  }
}

export interface ReplayOptions {
  /** Repeat it although the stack's files are not those that were installed; the record says so. */
  readonly allowDrift: boolean;
  /** Only the plan is wanted: a changed stack is a note. */
  readonly dryRun: boolean;
}

/**
 * Repeats a run from its plan.
 * @throws SuperOffloadError 'config' without a plan, 'environment' when the stack is another one than then, or when
 * its files changed since it was installed.
 */
export async function replayPlan(context: Context, wanted: string, options: ReplayOptions): Promise<RunPlan> {
  const run = readRun(context.home, await runNamed(context, wanted));
  if (run.plan === null) {
    throw new SuperOffloadError({ code: 'config', message: `run ${run.runId} has no plan to repeat` });
  }
  const { plan } = run;
  if (plan.stack === null) return plan;
  const installed = await loadStack(context.home, plan.stack.name);
  if (installed?.hash !== plan.stack.hash) throw otherStack(run.runId, plan.stack, installed);
  const { notes, drift } = await checkDrift(context, installed, options);
  for (const message of notes) context.emit({ type: 'note', message });
  if (!options.allowDrift) requireSameDrift(run.runId, plan.stack.drift ?? [], drift);
  return { ...plan, stack: stackReference(installed, drift) };
}

/** A run that was made on a changed stack is not repeated by one on the stack as it should be. */
function requireSameDrift(runId: string, then: readonly string[], now: readonly string[]): void {
  const gone = then.filter((line) => !now.includes(line));
  if (gone.length === 0) return;
  throw new SuperOffloadError({
    code: 'environment',
    message: [`run ${runId} was made on a stack with changes that are not there now:`, ...gone].join('\n  '),
    hint: 'to repeat it on the stack as it is, add --allow-drift',
  });
}

function otherStack(
  runId: string,
  then: StackReference,
  installed: StackLock | undefined,
): SuperOffloadError {
  const changes = installed === undefined ? [] : describeReferenceChange(then, stackReference(installed));
  return new SuperOffloadError({
    code: 'environment',
    message:
      `run ${runId} used stack ${then.name} with torch ${then.torch} and DeepSpeed ${then.deepspeed}; ` +
      (installed === undefined ? 'it is not installed' : ['it is another one now:', ...changes].join('\n  ')),
    hint: `run: ${installCommand(then, installed?.request)}`,
  });
}

export async function replayRun(
  context: Context,
  wanted: string,
  options: Pick<ReplayOptions, 'allowDrift'>,
): Promise<RunRecord> {
  const plan = await replayPlan(context, wanted, { ...options, dryRun: false });
  return runCase(context, plan, { index: 1, total: 1 });
}

/**
 * Finds the runs to remove, all of them before the first is touched.
 * @throws SuperOffloadError 'usage' when one does not exist or still runs.
 */
export async function runsToRemove(context: Context, wanted: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  const named = await Promise.all(wanted.map((each) => runsNamed(context, each)));
  for (const runId of named.flat()) {
    const run = readJournal(context.home, runId);
    if (run.elsewhere) throw elsewhere(context, runId);
    if (run.livePids.length > 0 || run.watched) {
      throw new SuperOffloadError({
        code: 'usage',
        message: `run ${runId} is still running`,
        hint: run.watched
          ? 'end it with Ctrl-C where it was started'
          : `its superoffload is gone; end it with: superoffload runs cancel ${runId}`,
      });
    }
    if (mayRunOnSchedule(join(runsFolder(context.home), runId), run.events)) {
      throw new SuperOffloadError({
        code: 'usage',
        message: `run ${runId} may be at work on its hosts or in Slurm's queue: nobody has seen its end`,
        hint: `look with: superoffload runs watch ${runId}; or end it with: superoffload runs cancel ${runId}`,
      });
    }
    ids.push(runId);
  }
  return [...new Set(ids)];
}

function elsewhere(context: Context, runId: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `run ${runId} was started on another machine or in another container, and may be running there`,
    hint: `remove it from there; if that is gone for ever: rm -r ${quoteWord(join(runsFolder(context.home), runId))}`,
  });
}

export async function removeRuns(context: Context, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) await removeRun(context.home, runId);
}
