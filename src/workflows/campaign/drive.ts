import { readRecord } from '../../adapters/stored-runs.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import { nextMove, type Decision, type DriveOptions } from '../../core/campaign/next.ts';
import { launchCounts } from '../../core/campaign/state.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { RunPosition } from '../runs/run-case.ts';
import type { CampaignSession } from './session.ts';

/** Who starts and follows the runs of a campaign. */
export interface RunStarter {
  /** As runCase (workflows/runs/run-case.ts). */
  readonly start: (
    context: Context,
    plan: RunPlan,
    position: RunPosition,
    onFolder: (runId: string) => Promise<void>,
  ) => Promise<RunRecord>;
  /** As attachRun (workflows/runs/attach.ts). */
  readonly attach: (context: Context, runId: string, position: RunPosition) => Promise<RunRecord | null>;
}

export interface Drive {
  readonly session: CampaignSession;
  readonly planOf: (key: string) => RunPlan | undefined;
  readonly starter: RunStarter;
  /** Asked anew for every move: what is expected changes with what was seen. */
  readonly options: () => DriveOptions;
  /** Called before every move: results may ask for cells that were not there. */
  readonly derive: () => Promise<void>;
  /** Told whenever a run begins or ends. */
  readonly onChange: (underway: ReadonlyMap<string, number>) => void;
  /** Whether somebody asked for the campaign to end. */
  readonly isCancelled: () => boolean;
}

/**
 * Starts and follows runs until nothing is left to do, or nothing may begin any more. After a signal, a request to
 * cancel or an error nothing begins, and what runs is followed to its end.
 * @throws the signal's reason, or the first error; every run has its record by then, and the journal its result.
 */
export async function driveCampaign(context: Context, drive: Drive): Promise<Decision & { move: 'done' }> {
  const launches = new Launches(context, drive);
  for (;;) {
    const isEnding = launches.failure !== null || context.signal.aborted || drive.isCancelled();
    if (isEnding && launches.underway.size === 0) break;
    if (!isEnding) await drive.derive();
    const followed = new Set(launches.underway.keys());
    const decision: Decision = isEnding
      ? { move: 'wait' }
      : nextMove(drive.session.states, followed, drive.options(), context.now());
    if (decision.move === 'done') return decision;
    if (decision.move === 'wait') await launches.nextEnd();
    else launches.begin(decision);
  }
  context.signal.throwIfAborted();
  if (launches.failure !== null) throw launches.failure.error;
  return { move: 'done', left: [] };
}

/** The launches that are under way. */
class Launches {
  /** Keys of their cells, and when they began, milliseconds since the epoch. */
  readonly underway = new Map<string, number>();
  /** The first error: that of a run that could not be started, followed or stored. */
  failure: { readonly error: unknown } | null = null;
  readonly #context: Context;
  readonly #drive: Drive;
  readonly #ends = new Map<string, Promise<void>>();

  constructor(context: Context, drive: Drive) {
    this.#context = context;
    this.#drive = drive;
  }

  /** Settles when one of them has ended. */
  async nextEnd(): Promise<void> {
    await Promise.race(this.#ends.values());
  }

  begin(decision: Exclude<Decision, { readonly move: 'wait' | 'done' }>): void {
    const { cell } = decision.state;
    this.underway.set(cell.key, this.#context.now());
    const work = decision.move === 'attach' ? this.#attach(cell, decision.runId) : this.#start(cell);
    const end = work
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.underway.delete(cell.key);
        this.#ends.delete(cell.key);
        this.#drive.onChange(this.underway);
      });
    this.#ends.set(cell.key, end);
    this.#drive.onChange(this.underway);
  }

  async #start(cell: Cell): Promise<void> {
    const { session, planOf, starter } = this.#drive;
    const plan = planOf(cell.key);
    if (plan === undefined) throw new Error(`cell ${cell.key} has no plan`);
    const made: { runId: string | null } = { runId: null };
    try {
      const record = await starter.start(this.#context, plan, this.#position(), (id) => {
        made.runId = id;
        session.attempt(cell, id);
        return Promise.resolve();
      });
      session.result(cell, record);
    } catch (error) {
      if (made.runId !== null) this.#keep(cell, made.runId);
      throw error;
    }
  }

  async #attach(cell: Cell, runId: string): Promise<void> {
    const { session, starter } = this.#drive;
    try {
      const record = await starter.attach(this.#context, runId, this.#position());
      if (record === null) session.void(cell, runId);
      else session.result(cell, record);
    } catch (error) {
      this.#keep(cell, runId);
      throw error;
    }
  }

  /** A run that was interrupted has its record all the same. */
  #keep(cell: Cell, runId: string): void {
    const record = readRecord(this.#context.home, runId);
    if (record !== null && !(record instanceof SuperOffloadError)) this.#drive.session.result(cell, record);
  }

  /** Of the launches that the cells want: one in place of another that was lost has the same number. */
  #position(): RunPosition {
    const { session, options } = this.#drive;
    const { done, total } = launchCounts(session.states, options());
    return { index: Math.min(total, done + this.underway.size), total };
  }
}
