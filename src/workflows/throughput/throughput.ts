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

export interface ThroughputResult {
  readonly records: readonly RunRecord[];
  readonly summaries: readonly CaseSummary[];
  readonly ratios: readonly ModeRatio[];
}

/**
 * Runs every plan `repeat` times, in turns (A B C A B C ...): what drifts over the hours then meets all of them
 * alike. Each result is on disk before the next run starts.
 * @throws the signal's reason after an interruption; the records so far are in the run folders.
 */
export async function measureThroughput(
  context: Context,
  plans: readonly RunPlan[],
  repeat: number,
): Promise<ThroughputResult> {
  const records: RunRecord[] = [];
  const total = plans.length * repeat;
  for (let round = 0; round < repeat; round += 1) {
    for (const plan of plans) {
      try {
        records.push(await runCase(context, plan, { index: records.length + 1, total }));
      } catch (error) {
        context.emit({
          type: 'note',
          message: `${records.length} of ${total} runs are finished; all are kept: superoffload runs list`,
        });
        throw error;
      }
    }
  }
  const summaries = summarizeCases(records);
  return { records, summaries, ratios: modeRatios(summaries) };
}
