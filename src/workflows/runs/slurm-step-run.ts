import { setTimeout as sleep } from 'node:timers/promises';
import { startDetached } from '../../adapters/exec.ts';
import {
  isRunning,
  processesWith,
  signalRun,
  startTicks,
  stopRunProcesses,
  type Leader,
} from '../../adapters/processes.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import { cancelSteps, cancelStepsUnwatched, showJob } from '../../adapters/schedulers/slurm/tools.ts';
import type { SchedulerVerdict } from '../../core/logs/events.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { submitEnvironment } from '../../core/slurm/environment.ts';
import type { SlurmSchedule } from '../../core/launch/schedule.ts';
import type { SlurmPlan } from '../../core/slurm/slurm-plan.ts';
import { phaseOf, verdictOf } from '../../core/slurm/states.ts';
import type { Context, Unstamped } from '../context.ts';
import { noteEvent, thisTool } from './journal.ts';
import { accessOf } from '../slurm/cluster.ts';
import { readJobJournal } from '../slurm/find-job.ts';
import { takeNodes } from '../slurm/node-pool.ts';
import { writeJobScript } from '../slurm/submit.ts';
import { allEndedWell, failedFirst, oomKillsIn, ownStatus } from '../slurm/node-reports.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

/** The script of a step and its srun carry this and not the run's id: they outlive what they sweep away. */
const stepVariable = 'SUPEROFFLOAD_STEP_OF';
const pollMs = 200;
/** As for a run on this machine; srun gives its tasks KillWait, 30 s by default. */
const graceMs = 40_000;

/** A run as a step in an allocation: its script runs here, detached, and srun carries it to the nodes. */
export class StepRun implements StartedRun {
  readonly folder: RunFolder;
  readonly startedMs: number;
  readonly waitingFor = null;
  readonly ended: Promise<RunEnd>;
  readonly #context: Context;
  readonly #allocation: string;
  readonly #nodes: number;
  readonly #tasks: number;
  readonly #leader: Leader | null;
  #isKilled = false;

  /** @throws SuperOffloadError 'environment' where the allocation is gone or too small. */
  static async start(context: Context, folder: RunFolder, plan: SlurmPlan): Promise<StepRun> {
    const { schedule } = plan;
    const allocation = schedule.allocation ?? '';
    const script = await writeJobScript(folder, plan);
    const nodes = await takeNodes(context, allocation, schedule.layout.nodes);
    try {
      const env = submitEnvironment(context.env, schedule.options);
      const own = { [stepVariable]: folder.runId, SUPEROFFLOAD_NODES: nodes.names.join(',') };
      const child = await startDetached(['/bin/bash', script], { env: { ...env, ...own }, cwd: folder.path });
      const leader = { pid: child.pid, startTicks: startTicks(child.pid) };
      const exited = child.exited.finally(nodes.giveBack);
      return new StepRun(context, folder, {
        schedule,
        leader,
        startedMs: context.now(),
        exited,
      });
    } catch (error) {
      nodes.giveBack();
      throw error;
    }
  }

  /** @returns null where it was never started. */
  static attach(
    context: Context,
    folder: RunFolder,
    { schedule }: SlurmPlan,
    events: readonly RunEvent[],
  ): StepRun | null {
    const started = events.find((event) => event.type === 'started');
    const { startUtc } = readJobJournal(folder);
    const leader = started === undefined ? null : { pid: started.pid, startTicks: started.startTicks };
    if (startUtc === null && !isAlive(folder, leader)) return null;
    const startedMs = startUtc === null ? context.now() : Date.parse(startUtc);
    return new StepRun(context, folder, {
      schedule,
      leader,
      startedMs,
      exited: gone(folder, leader),
    });
  }

  private constructor(
    context: Context,
    folder: RunFolder,
    step: {
      readonly schedule: SlurmSchedule;
      readonly leader: Leader | null;
      readonly startedMs: number;
      readonly exited: Promise<Pick<RunEnd, 'exitCode' | 'signal'>>;
    },
  ) {
    this.folder = folder;
    this.startedMs = step.startedMs;
    this.#context = context;
    this.#allocation = step.schedule.allocation ?? '';
    this.#nodes = step.schedule.layout.nodes;
    this.#tasks = this.#nodes * Number(step.schedule.options['ntasks-per-node'] ?? 1);
    this.#leader = step.leader;
    this.ended = step.exited.then((exit) => this.#endOf(exit));
    context.force.addEventListener('abort', this.#forced);
  }

  readonly noteStart = (): void => {
    if (this.#leader === null) return;
    this.#note({ type: 'started', ...this.#leader, ...thisTool() });
  };

  readonly kill = async (reason: KillReason): Promise<void> => {
    this.#note({ type: 'killed', reason });
    await this.stop();
  };

  readonly stop = async (): Promise<void> => {
    this.#isKilled = true;
    // The step first: srun that is gone takes nothing along.
    await cancelSteps(this.#access, this.#allocation, this.folder.runId);
    const { force } = this.#context;
    await stopRunProcesses(this.#leader, this.folder.runId, { graceMs, force });
    await cancelSteps(this.#access, this.#allocation, this.folder.runId);
  };

  readonly leaveNothing = async (): Promise<void> => {
    const { scheduler, exitCode, signal } = await this.ended;
    if (exitCode !== 0) await cancelSteps(this.#access, this.#allocation, this.folder.runId);
    const pids = readJobJournal(this.folder).left.flatMap((each) => each.pids);
    if (pids.length > 0) this.#note({ type: 'left-behind', pids });
    this.#note({ type: 'job-ended', verdict: scheduler });
    this.#note({ type: 'exited', exitCode, signal });
  };

  readonly release = (): void => {
    this.#context.force.removeEventListener('abort', this.#forced);
  };

  readonly #forced = (): void => {
    cancelStepsUnwatched(this.#access, this.#allocation, this.folder.runId);
    signalRun(this.#leader, this.folder.runId, 'SIGKILL');
  };

  get #access() {
    return accessOf(this.#context, null);
  }

  async #endOf(exit: Pick<RunEnd, 'exitCode' | 'signal'>): Promise<RunEnd> {
    const own = readJobJournal(this.folder);
    const told = exit.exitCode ?? own.exitCode;
    // srun leaves with 0 where a node died under it.
    const exitCode = told === 0 && !allEndedWell(this.folder, this.#nodes) ? null : told;
    const scheduler = exitCode === 0 || this.#isKilled ? null : await this.#verdict();
    const status = ownStatus(this.folder, exitCode);
    return {
      exitCode: status,
      signal: exit.signal,
      scheduler,
      oomKills: oomKillsIn(this.folder),
      ...failedFirst(status, this.#tasks),
    };
  }

  /** A step fails with its allocation: then that is the reason. */
  async #verdict(): Promise<SchedulerVerdict | null> {
    const answer = await showJob(this.#access, this.#allocation);
    const facts = answer.ok ? answer.value : null;
    return facts === null || phaseOf(facts) !== 'ended' ? null : verdictOf(facts, true);
  }

  #note(event: Unstamped<RunEvent>): void {
    noteEvent(this.#context, this.folder, event);
  }
}

function isAlive({ runId }: RunFolder, leader: Leader | null): boolean {
  if (leader !== null && isRunning(leader.pid, leader.startTicks)) return true;
  return processesWith(stepVariable, runId).length > 0;
}

async function gone(folder: RunFolder, leader: Leader | null): Promise<Pick<RunEnd, 'exitCode' | 'signal'>> {
  while (isAlive(folder, leader)) await sleep(pollMs);
  return { exitCode: null, signal: null };
}
