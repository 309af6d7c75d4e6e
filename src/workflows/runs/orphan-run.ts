import { setTimeout as sleep } from 'node:timers/promises';
import {
  isRunning,
  processesOfRun,
  signalRun,
  stopRunProcesses,
  type Leader,
} from '../../adapters/processes.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import type { Context } from '../context.ts';
import { noteEvent } from './journal.ts';
import { graceMs } from './local-run.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

const pollMs = 200;

/** A run on this machine whose tool was killed. Nobody of ours is its parent: its exit status will not be known. */
export class OrphanRun implements StartedRun {
  readonly folder: RunFolder;
  readonly startedMs: number;
  readonly waitingFor = null;
  readonly ended: Promise<RunEnd>;
  readonly #context: Context;
  readonly #leader: Leader | null;

  /** @returns null where no process of the run is alive. */
  static find(context: Context, folder: RunFolder, events: readonly RunEvent[]): OrphanRun | null {
    const started = events.find((event) => event.type === 'started');
    const leader = started === undefined ? null : { pid: started.pid, startTicks: started.startTicks };
    if (!isAlive(folder.runId, leader)) return null;
    const startedMs = started === undefined ? context.now() : Date.parse(started.utc);
    return new OrphanRun(context, folder, leader, startedMs);
  }

  private constructor(context: Context, folder: RunFolder, leader: Leader | null, startedMs: number) {
    this.folder = folder;
    this.startedMs = startedMs;
    this.#context = context;
    this.#leader = leader;
    this.ended = gone(folder.runId, leader);
    context.force.addEventListener('abort', this.#forced);
  }

  /** The first tool wrote it, or was killed in between. */
  readonly noteStart = (): void => undefined;

  readonly kill = async (reason: KillReason): Promise<void> => {
    noteEvent(this.#context, this.folder, { type: 'killed', reason });
    await this.stop();
  };

  readonly stop = async (): Promise<void> => {
    const { force } = this.#context;
    await stopRunProcesses(this.#leader, this.folder.runId, { graceMs, force });
  };

  readonly leaveNothing = (): Promise<void> => Promise.resolve();

  readonly release = (): void => {
    this.#context.force.removeEventListener('abort', this.#forced);
  };

  readonly #forced = (): void => {
    signalRun(this.#leader, this.folder.runId, 'SIGKILL');
  };
}

function isAlive(runId: string, leader: Leader | null): boolean {
  if (leader !== null && isRunning(leader.pid, leader.startTicks)) return true;
  return processesOfRun(runId, leader).length > 0;
}

async function gone(runId: string, leader: Leader | null): Promise<RunEnd> {
  while (isAlive(runId, leader)) await sleep(pollMs);
  return { exitCode: null, signal: null, scheduler: null, oomKills: null };
}
