import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJournal } from '../../../src/adapters/stored-runs.ts';
import type { RunFolder } from '../../../src/adapters/run-store.ts';
import type { LauncherName } from '../../../src/core/experiment/case.ts';
import type { NodeLayout } from '../../../src/core/launch/layout.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import type { RunEvent } from '../../../src/core/results/run-event.ts';
import { runFiles } from '../../../src/core/results/run-files.ts';
import { slurmSchedule } from '../../../src/core/slurm/schedule.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { followRun } from '../../../src/workflows/runs/follow-run.ts';
import { prepareRun } from '../../../src/workflows/runs/run-case.ts';
import { blindObserver } from '../../../src/workflows/runs/run-observer.ts';
import { SlurmRun } from '../../../src/workflows/runs/slurm-run.ts';
import type { StartedRun } from '../../../src/workflows/runs/started-run.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { sampleSystem } from '../../core/sample-plan.ts';

/** A program of its own beside the cluster: a state folder, a context, what it was told. */
export interface Tool {
  readonly context: Context;
  readonly home: string;
  readonly events: ProgressEvent[];
  readonly interrupt: AbortController;
}

const homes: string[] = [];

/** The state folders of all tools so far. */
export function removeHomes(): void {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
}

export function toolAt(cluster: SlurmCluster, change: Partial<Context> = {}): Tool {
  const home = change.home ?? mkdtempSync(join(tmpdir(), "slurm runs' %j "));
  homes.push(home);
  const events: ProgressEvent[] = [];
  const interrupt = new AbortController();
  const context: Context = {
    env: { ...cluster.env, SUPEROFFLOAD_SLURM_POLL_SECONDS: '1' },
    cwd: home,
    home,
    packageRoot: join(import.meta.dirname, '..', '..', '..'),
    emit: (event) => events.push(event),
    signal: interrupt.signal,
    force: new AbortController().signal,
    now: Date.now,
    ...change,
  };
  return { context, home, events, interrupt };
}

interface Wanted {
  readonly layout?: NodeLayout;
  /** `--slurm` words. */
  readonly words?: readonly string[];
  readonly launcher?: LauncherName;
  readonly allocation?: string | null;
}

/** A plan for a small shell workload on the cluster's nodes. */
export function slurmPlan(script: string, wanted: Wanted = {}): RunPlan {
  const { layout = { nodes: 1, ranksPerNode: 1 }, words = [], launcher = 'torchrun' } = wanted;
  const system = sampleSystem({ accelerator: 'cpu', hostGiB: null, chipsPerNode: 2, cores: 2 });
  const chips = layout.nodes * layout.ranksPerNode;
  const hasTime = words.some((word) => word.startsWith('time='));
  const flags = { slurmWords: [...(hasTime ? [] : ['time=10']), ...words] };
  const allocation = wanted.allocation ?? null;
  const made = slurmSchedule({ system, layout, flags, launcher, exclusiveHost: false, allocation });
  if (!made.ok) throw new Error(JSON.stringify(made.faults));
  const plan = planCommand({ command: ['sh', '-c', script], system, chips, cwd: '', limits: {} });
  return { ...plan, cwd: null, schedule: made.schedule };
}

/** Prepares and submits a run, and follows it until its record. */
export async function submitted(tool: Tool, plan: RunPlan): Promise<Submitted> {
  const folder = await prepareRun(tool.context, plan, null);
  const run = await SlurmRun.submit(tool.context, folder, plan);
  return following(tool, folder, plan, run);
}

export interface Submitted {
  readonly folder: RunFolder;
  readonly run: StartedRun;
  readonly record: Promise<RunRecord>;
}

export function following(tool: Tool, folder: RunFolder, plan: RunPlan, run: StartedRun): Submitted {
  const record = followRun(tool.context, run, {
    plan,
    tool: null,
    observer: blindObserver(plan),
    recovered: false,
  });
  record.catch(() => undefined);
  return { folder, run, record };
}

/** A tool in a process of its own, which says the run's id once it is submitted (submitting-child.ts). */
export function submittingChild(tool: Tool, script: string, ...more: string[]): ChildProcess {
  const program = fileURLToPath(new URL('./submitting-child.ts', import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', program, tool.home, script, ...more], {
    cwd: join(import.meta.dirname, '..', '..', '..'),
    env: tool.context.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

export function journalOf({ home }: Tool, { runId }: RunFolder): readonly RunEvent[] {
  return readJournal(home, runId).events;
}

export function jobIdOf(tool: Tool, folder: RunFolder): string {
  const event = journalOf(tool, folder).findLast(({ type }) => type === 'submitted');
  if (event?.type !== 'submitted') throw new Error(`run ${folder.runId} was not submitted`);
  return event.jobId;
}

export function logOf({ path }: RunFolder): string {
  const log = join(path, runFiles.log);
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
}

/** Waits until something is so; its last word is the failure. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 60_000) {
  const untilMs = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > untilMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
