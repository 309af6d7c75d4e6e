import { sha256 } from '../../adapters/campaign-store.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import { cellOf, type Cell } from '../../core/campaign/cell.ts';
import { cellStanding, speakingAttempt, type LaunchRules } from '../../core/campaign/state.ts';
import type { Case } from '../../core/experiment/case.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import {
  nextBatchStep,
  predictedBatches,
  type BatchAttempt,
  type BatchReason,
} from '../../core/search/batch-rule.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Planning } from '../plan/planning.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignSession } from './session.ts';

/**
 * Follows the paper's rule for the batch: whenever a cell has run out of memory, what is to be tried in its place
 * becomes a cell too. It is derived from the results alone, so that a campaign that goes on comes to the same cells.
 */
export class BatchVariants {
  readonly #context: Context;
  readonly #planning: Planning;
  readonly #session: CampaignSession;
  readonly #rules: LaunchRules;
  readonly #asked: readonly Cell[];
  readonly #planned = new Map<string, { readonly cell: Cell; readonly plan: RunPlan }>();
  readonly #variants = new Map<string, Cell>();
  readonly #records = new Map<string, RunRecord>();
  #resultsSeen = -1;

  constructor(
    context: Context,
    { planning, followsBatchRule }: Pick<PlannedCampaign, 'planning' | 'followsBatchRule'>,
    session: CampaignSession,
    { rules, asked }: { readonly rules: LaunchRules; readonly asked: readonly Cell[] },
  ) {
    this.#context = context;
    this.#planning = planning;
    this.#session = session;
    this.#rules = rules;
    this.#asked = followsBatchRule ? asked : [];
  }

  /** In the order in which they were added. */
  get all(): readonly Cell[] {
    return [...this.#variants.values()];
  }

  planOf(key: string): RunPlan | undefined {
    return [...this.#planned.values()].find(({ cell }) => cell.key === key)?.plan;
  }

  /**
   * Adds the cells that the results so far ask for.
   * @returns whether there is a new one
   * @throws SuperOffloadError 'environment' where it cannot be made ready.
   */
  async derive(): Promise<boolean> {
    const results = this.#session.resultCount;
    if (results === this.#resultsSeen) return false;
    this.#resultsSeen = results;
    const before = this.#variants.size;
    for (const cell of this.#asked) await this.#follow(cell);
    return this.#variants.size > before;
  }

  /** Replays the rule for one cell as far as there are results. */
  async #follow(asked: Cell): Promise<void> {
    const first = this.#resultOf(asked.key);
    if (first === null || verdictOf(first).kind !== 'memory') return;
    const { exclusiveHost } = asked.withWhat;
    const search = predictedBatches(asked.case, this.#planning.system, { exclusiveHost });
    const attempts: BatchAttempt[] = [attemptOf(asked.case, first)];
    for (;;) {
      const step = nextBatchStep({ ...search, attempts });
      if (step.type === 'done') return;
      const cell = await this.#cellOf(step.subject);
      if (this.#session.stateOf(cell.key) === undefined) this.#add(asked, cell, step.why);
      const record = this.#resultOf(cell.key);
      if (record === null) return;
      attempts.push(attemptOf(step.subject, record));
    }
  }

  #add(asked: Cell, cell: Cell, why: BatchReason): void {
    if (why === 'the whole batch at once') throw new Error('a cell is no variant of itself');
    const variant: Cell = { ...cell, variant: { of: asked.key, why } };
    this.#variants.set(cell.key, variant);
    this.#session.add(variant);
    // One that goes on comes to the cells that it had.
    if (this.#session.stateOf(cell.key)?.attempts.length !== 0) return;
    this.#context.emit({ type: 'note', message: `${asked.title}: out of memory; next ${why}` });
  }

  async #cellOf(subject: Case): Promise<Cell> {
    const id = JSON.stringify(subject);
    const known = this.#planned.get(id);
    if (known !== undefined) return known.cell;
    const [plan] = (await this.#planning.ready(this.#planning.planCases([subject]).plans)).plans;
    const cell = plan === undefined ? null : cellOf(plan, sha256);
    if (plan === undefined || cell === null) throw new Error('a case has one plan, and a cell');
    this.#planned.set(id, { cell, plan });
    return cell;
  }

  /** @returns the record that settled a cell; null while it has launches to come. */
  #resultOf(key: string): RunRecord | null {
    const state = this.#session.stateOf(key);
    if (state === undefined || cellStanding(state, this.#rules) !== 'settled') return null;
    const attempt = speakingAttempt(state);
    if (attempt === null) return null;
    const known = this.#records.get(attempt.runId);
    if (known !== undefined) return known;
    const record = readRecord(this.#context.home, attempt.runId);
    if (record === null || record instanceof SuperOffloadError) return null;
    this.#records.set(attempt.runId, record);
    return record;
  }
}

function attemptOf(subject: Case, record: RunRecord): BatchAttempt {
  return { subject, verdict: verdictOf(record), modelTflops: record.throughput.modelTflopsPerGpu };
}
