import { listRunIds } from '../../adapters/run-store.ts';
import { readRecord, readRun } from '../../adapters/stored-runs.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { isComparable } from '../../core/results/comparable.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { caseIdOfRun, runFiles } from '../../core/results/run-files.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { attachRun } from '../runs/attach.ts';
import { toolIdentity } from '../tool-identity.ts';

/**
 * What earlier runs have shown of plans, by case id, the oldest first: a search that was stopped goes on from there.
 * A run counts when it was of the same case and DeepSpeed JSON, comparable (core/results/comparable.ts), and proves
 * something about memory. One that is still at work, its superoffload gone or not, is followed to its end.
 */
export async function storedResults(
  context: Context,
  plans: readonly RunPlan[],
): Promise<ReadonlyMap<string, readonly RunRecord[]>> {
  const byCase = new Map(plans.map((plan) => [plan.caseId, plan]));
  const results = new Map<string, RunRecord[]>();
  for (const runId of await listRunIds(context.home)) {
    const plan = byCase.get(caseIdOfRun(runId));
    if (plan === undefined) continue;
    const record = await recordOf(context, runId, plan);
    if (record === null || verdictOf(record).kind === 'unproven') continue;
    results.set(plan.caseId, [...(results.get(plan.caseId) ?? []), record]);
  }
  return results;
}

/** null where it proves nothing here: another setting, never started, unreadable, or only another machine can see it. */
async function recordOf(context: Context, runId: string, plan: RunPlan): Promise<RunRecord | null> {
  try {
    const record = readRecord(context.home, runId) ?? (await attachRun(context, runId));
    if (record === null || record instanceof SuperOffloadError) return null;
    return (await isSame(context, record, plan)) ? record : null;
  } catch (error) {
    if (!(error instanceof SuperOffloadError) || context.signal.aborted) throw error;
    context.emit({ type: 'note', message: `run ${runId} does not count: ${error.message}` });
    return null;
  }
}

async function isSame(context: Context, record: RunRecord, plan: RunPlan): Promise<boolean> {
  if (!isComparable(record, { ...plan, tool: await toolIdentity(context) })) return false;
  const ran = readRun(context.home, record.runId).plan;
  return ran?.files[runFiles.deepspeedConfig] === plan.files[runFiles.deepspeedConfig];
}
