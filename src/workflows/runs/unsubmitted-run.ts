import type { RunFolder } from '../../adapters/run-store.ts';
import type { Context } from '../context.ts';
import { noteEvent } from './journal.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';

/** A run that was cancelled before its scheduler took it: it has a record as any other, and no process. */
export class UnsubmittedRun implements StartedRun {
  readonly folder: RunFolder;
  readonly startedMs = null;
  readonly waitingFor = null;
  readonly ended: Promise<RunEnd> = Promise.resolve({
    exitCode: null,
    signal: null,
    scheduler: null,
    oomKills: null,
  });
  readonly #context: Context;

  constructor(context: Context, folder: RunFolder) {
    this.#context = context;
    this.folder = folder;
  }

  readonly noteStart = (): void => undefined;

  readonly kill = (reason: KillReason): Promise<void> => {
    noteEvent(this.#context, this.folder, { type: 'killed', reason });
    return Promise.resolve();
  };

  readonly stop = (): Promise<void> => Promise.resolve();

  readonly leaveNothing = (): Promise<void> => {
    noteEvent(this.#context, this.folder, { type: 'exited', exitCode: null, signal: null });
    return Promise.resolve();
  };

  readonly release = (): void => undefined;
}
