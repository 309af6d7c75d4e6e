import type { TrialEvent } from '../../adapters/tune-journal.ts';
import { candidateKey } from '../../core/tune/propose/propose.ts';
import { withKnownTrials } from '../../core/tune/search/search-state.ts';
import type { Tuning } from '../../core/tune/tuning.ts';
import type { Context } from '../context.ts';
import { ownTrial, storedTrials, type RunTrial } from './known-trials.ts';
import type { TunePlan } from './plan-tune.ts';
import type { SizePlan } from './size-plans.ts';

/** The search of one size as it goes: what the rules know, and the runs that it is known from. */
export class Search {
  readonly #context: Context;
  readonly #plan: TunePlan;
  readonly #size: SizePlan;
  readonly #trials: RunTrial[] = [];
  #tuning: Tuning;

  constructor(context: Context, plan: TunePlan, size: SizePlan) {
    this.#context = context;
    this.#plan = plan;
    this.#size = size;
    this.#tuning = size.tuning;
  }

  get tuning(): Tuning {
    return this.#tuning;
  }

  /** In the order in which they became known. */
  get trials(): readonly RunTrial[] {
    return this.#trials;
  }

  /** Trials of this command and of those that it goes on from. */
  get launches(): number {
    return this.#trials.filter(({ isStored }) => !isStored).length;
  }

  /**
   * Learns what earlier commands have shown: other ones' runs, then this tuning's own trials where it was stopped.
   * @returns how many of each count
   */
  async begin(own: readonly TrialEvent[]): Promise<{ readonly own: number; readonly stored: number }> {
    const ofThis = new Set(own.map(({ runId }) => runId));
    await this.#learnStored(0, ofThis);
    const stored = this.#trials.length;
    for (const event of own) {
      const candidate = this.#tuning.candidates.find((one) => candidateKey(one) === event.key);
      if (candidate === undefined) continue;
      const trial = await ownTrial(this.#context, event, candidate, this.#plan.planOf);
      if (trial !== null) await this.add(trial, ofThis);
    }
    return { own: this.launches, stored };
  }

  /** A trial may show that more fits: of what is a candidate now, stored runs count too. */
  async add(trial: RunTrial, own: ReadonlySet<string> = new Set()): Promise<void> {
    const before = this.#tuning.candidates.length;
    this.#take(trial);
    if (!this.#plan.command.fresh) await this.#learnStored(before, own);
  }

  /** Of candidates from this one on: a stored trial may make new ones, of which stored runs count too. */
  async #learnStored(from: number, own: ReadonlySet<string>): Promise<void> {
    const more = this.#tuning.candidates.slice(from);
    if (more.length === 0) return;
    const next = this.#tuning.candidates.length;
    const seen = new Set([...own, ...this.#trials.map(({ runId }) => runId)]);
    for (const trial of await storedTrials(this.#context, more, this.#plan.planOf, seen)) this.#take(trial);
    await this.#learnStored(next, own);
  }

  #take(trial: RunTrial): void {
    const { request } = this.#size;
    const { record, ...known } = trial;
    const { system } = this.#plan.planning;
    this.#trials.push({ ...known, record });
    this.#tuning = withKnownTrials(this.#tuning, [known], { request, system });
  }
}
