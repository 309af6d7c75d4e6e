import type { DetachedProcess } from '../../adapters/exec.ts';
import { signalRun, startTicks, stopRunProcesses, type Leader } from '../../adapters/processes.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { startLocally } from '../../adapters/schedulers/local.ts';
import type { Context, Unstamped } from '../context.ts';
import { noteEvent, thisTool } from './journal.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

/** DeepSpeed's launcher takes up to 30 s to end its ranks (deepspeed/launcher/launch.py). */
export const graceMs = 40_000;
/** For what outlived the leader: its work is over. */
const leftoverGraceMs = 5_000;

/** The processes of one run on this machine, from their start until none is left. */
export class LocalRun implements StartedRun {
  readonly folder: RunFolder;
  readonly startedMs: number;
  readonly waitingFor = null;
  readonly #context: Context;
  readonly #child: DetachedProcess;
  readonly #leader: Leader;
  #killNoted = false;

  /**
   * Starts the run. From its first moment a second signal kills all of it in the signal's own event, after which
   * the program may end at once: there is no time in between at which it could be left behind.
   */
  static async start(context: Context, folder: RunFolder): Promise<LocalRun> {
    return new LocalRun(context, folder, await startLocally(folder.path, folder.runId, context.env));
  }

  private constructor(context: Context, folder: RunFolder, child: DetachedProcess) {
    this.folder = folder;
    this.#context = context;
    this.#child = child;
    this.#leader = { pid: child.pid, startTicks: startTicks(child.pid) };
    this.startedMs = context.now();
    context.force.addEventListener('abort', this.#forced);
  }

  get ended(): Promise<RunEnd> {
    return this.#child.exited.then((exit) => ({ ...exit, scheduler: null, oomKills: null }));
  }

  noteStart(): void {
    this.#note({
      type: 'started',
      ...this.#leader,
      ...thisTool(),
    });
  }

  /** Ends all of it, by SIGKILL after the grace. */
  async kill(reason: KillReason): Promise<void> {
    this.#noteKill(reason);
    await this.stop();
  }

  /** As {@link kill}, where the journal may not be writable. */
  async stop(): Promise<void> {
    await this.#stopWithin(graceMs);
  }

  /** The leader is gone: whoever outlived it is stopped, and what cannot be is written down. */
  async leaveNothing(): Promise<void> {
    const left = await this.#stopWithin(leftoverGraceMs);
    if (left.length > 0) {
      this.#note({ type: 'left-behind', pids: left });
      this.#context.emit({
        type: 'warning',
        message: `processes of run ${this.folder.runId} could not be killed: ${left.join(', ')}`,
        hint: 'They are in an uninterruptible system call; their GPU and port stay taken until it returns.',
      });
    }
    this.#note({ type: 'exited', ...(await this.#child.exited) });
  }

  /** Nobody follows it any more. */
  release(): void {
    this.#context.force.removeEventListener('abort', this.#forced);
  }

  readonly #forced = (): void => {
    signalRun(this.#leader, this.folder.runId, 'SIGKILL');
    this.#noteKill('interrupted');
  };

  #noteKill(reason: KillReason): void {
    if (this.#killNoted) return;
    this.#killNoted = true;
    this.#note({ type: 'killed', reason });
  }

  #stopWithin(withinMs: number): Promise<number[]> {
    return stopRunProcesses(this.#leader, this.folder.runId, {
      graceMs: withinMs,
      force: this.#context.force,
    });
  }

  #note(event: Unstamped<RunEvent>): void {
    noteEvent(this.#context, this.folder, event);
  }
}
