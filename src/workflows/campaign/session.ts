import type { CampaignJournal } from '../../adapters/campaign-store.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import type { CampaignEvent } from '../../core/campaign/journal.ts';
import { statesOf, withEvent, type CellState } from '../../core/campaign/state.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { utcNow, type Context, type Unstamped } from '../context.ts';

/** The cells of a campaign as they stand, and the journal that says so: one cannot change without the other. */
export class CampaignSession {
  readonly #context: Context;
  readonly #journal: CampaignJournal;
  readonly #states: Map<string, CellState>;
  #results = 0;

  /** @param cells in the order in which they are to run */
  constructor(context: Context, journal: CampaignJournal, cells: readonly Cell[]) {
    this.#context = context;
    this.#journal = journal;
    this.#append({ type: 'session', toolPid: process.pid, cells: cells.length });
    this.#states = new Map(statesOf(cells, journal.events).map((state) => [state.cell.key, state]));
  }

  get states(): CellState[] {
    return [...this.#states.values()];
  }

  stateOf(key: string): CellState | undefined {
    return this.#states.get(key);
  }

  /** One more cell, behind the others. */
  add(cell: Cell): void {
    for (const state of statesOf([cell], this.#journal.events)) this.#states.set(cell.key, state);
  }

  /** Grows with every result that becomes known. */
  get resultCount(): number {
    return this.#results;
  }

  /** Written before the run is started. */
  attempt({ key }: Cell, runId: string): void {
    this.#append({ type: 'attempt', key, runId });
  }

  /** Written after the record of the run is. */
  result({ key }: Cell, record: RunRecord): void {
    this.#append({ type: 'result', key, ...endingOf(record) });
  }

  adopted({ key }: Cell, record: RunRecord): void {
    this.#append({ type: 'adopted', key, ...endingOf(record) });
  }

  /** From then on nodes are held. */
  allocation(jobId: string): void {
    this.#append({ type: 'allocation', jobId });
  }

  /** The one that was opened last, by this tool or an earlier one. */
  get lastAllocation(): { readonly jobId: string; readonly utc: string } | null {
    return this.#journal.events.findLast((event) => event.type === 'allocation') ?? null;
  }

  /** Nothing was ever started of it. */
  void({ key }: Cell, runId: string): void {
    this.#append({ type: 'void', key, runId });
  }

  #append(event: Unstamped<CampaignEvent>): void {
    const stamped: CampaignEvent = { ...event, utc: utcNow(this.#context) };
    this.#journal.append(stamped);
    if (stamped.type === 'result' || stamped.type === 'adopted') this.#results += 1;
    if (!('key' in stamped)) return;
    const state = this.#states.get(stamped.key);
    if (state !== undefined) this.#states.set(stamped.key, withEvent(state, stamped));
  }
}

function endingOf({ runId, outcome, durationMs }: RunRecord) {
  return { runId, outcome: outcome.class, durationMs };
}
