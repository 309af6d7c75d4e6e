import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import {
  modeRatios,
  summarizeCases,
  type CaseSummary,
  type ModeRatio,
} from '../../core/results/summarize.ts';
import type { Context } from '../context.ts';
import { runCase } from '../runs/run-case.ts';
import { searchBatch, type BatchChoice, type BatchLaunchers } from './batch-search.ts';

export interface ThroughputResult {
  /** Every launch, in the order in which they ran. */
  readonly records: readonly RunRecord[];
  /** The rows: of a case that the batch rule changed, the batch that counts. */
  readonly summaries: readonly CaseSummary[];
  readonly ratios: readonly ModeRatio[];
  /** What the batch rule tried, where it is followed. */
  readonly batches: readonly BatchChoice[];
}

/**
 * Runs every plan `repeat` times, in turns (A B C A B C ...): what drifts over the hours then meets all of them
 * alike. Each result is on disk before the next run starts. Under the batch rule the first turn finds the batch of
 * each, and the others repeat that one.
 * @param planVariant plans a case with another batch; null: every plan is run as it is
 * @throws the signal's reason after an interruption; the records so far are in the run folders.
 */
export async function measureThroughput(
  context: Context,
  plans: readonly RunPlan[],
  repeat: number,
  planVariant: BatchLaunchers['planVariant'] | null = null,
): Promise<ThroughputResult> {
  const records: RunRecord[] = [];
  const total = plans.length * repeat;
  const run = async (plan: RunPlan): Promise<RunRecord> => {
    const index = records.length + 1;
    const record = await runCase(context, plan, { index, total: Math.max(index, total) });
    records.push(record);
    return record;
  };
  const choices: BatchChoice[] = [];
  let chosen = plans;
  try {
    if (planVariant !== null) {
      chosen = [];
      for (const plan of plans) {
        const found = await searchBatch(context, plan, { planVariant, run });
        choices.push(found.choice);
        chosen = [...chosen, found.plan];
      }
    }
    for (let round = planVariant === null ? 0 : 1; round < repeat; round += 1) {
      for (const plan of chosen) await run(plan);
    }
  } catch (error) {
    for (const message of keptNotes(records.length, total, context.signal.aborted))
      context.emit({ type: 'note', message });
    throw error;
  }
  const shown = new Set(chosen.map(({ caseId }) => caseId));
  const summaries = summarizeCases(records.filter(({ caseId }) => shown.has(caseId)));
  const batches = choices.filter(({ launches }) => launches.length > 1);
  return { records, summaries, ratios: modeRatios(summaries), batches };
}

/** What is there after an end before the last run: nobody has to measure that again. */
function keptNotes(finished: number, total: number, isStopped: boolean): string[] {
  const all = finished === 0 ? '' : '; all are kept: superoffload runs list';
  return [
    ...(finished === 0 && !isStopped ? [] : [`${finished} of ${total} runs are finished${all}`]),
    ...(isStopped
      ? [
          'the run that was stopped is kept with the steps it made: superoffload runs show last; ' +
            'superoffload runs replay last makes that one again, the same command all of them',
        ]
      : []),
  ];
}
