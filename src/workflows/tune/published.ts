import { modes } from '../../core/deepspeed/modes/registry.ts';
import type { Case, ModeName } from '../../core/experiment/case.ts';
import { isMeasured } from '../../core/results/summarize.ts';
import { candidateKey } from '../../core/tune/propose/propose.ts';
import type { MeasuredResult } from '../../core/tune/tuning.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { storedResults } from '../frontier/stored-results.ts';
import type { TunePlan } from './plan-tune.ts';
import type { SizePlan } from './size-plans.ts';
import { trialResultOf } from './trial-result.ts';

/** What upstream's users have: the three published ways to offload, as their authors set them. */
export const publishedModes: readonly ModeName[] = ['prism', 'zero_offload', 'zero_infinity'];

/** A stored measurement of a published configuration. */
export interface PublishedRun {
  readonly runId: string;
  readonly model: string;
  /** As `candidateKey` gives it: runs of one key are launches of the same. */
  readonly key: string;
  readonly result: MeasuredResult;
}

/**
 * What stored runs have shown of published configurations with the whole batch at once, also of those that a tuning may
 * not choose: without the margin of memory they still ran, and a choice is held against them.
 */
export async function publishedRuns(
  context: Context,
  plan: TunePlan,
  { request }: SizePlan,
): Promise<PublishedRun[]> {
  if (plan.command.fresh) return [];
  const cases = request.models.flatMap((model) =>
    publishedModes.map((mode): Case => ({ ...request.base, model, mode, ratio: modes[mode].defaultRatio })),
  );
  const plans = cases.flatMap((subject) => planIfAllowed(plan, subject));
  const stored = await storedResults(context, plans);
  return [...stored.values()].flat().flatMap((record): PublishedRun[] => {
    const result = isMeasured(record) ? trialResultOf(record) : null;
    if (result?.kind !== 'measured' || record.case === null) return [];
    const key = candidateKey({ subject: record.case, bindCores: false });
    return [{ runId: record.runId, model: record.case.model.name, key, result }];
  });
}

/** A mode that this tool refuses for such a case never ran. */
function planIfAllowed({ planOf }: TunePlan, subject: Case): ReturnType<TunePlan['planOf']>[] {
  try {
    return [planOf({ subject, bindCores: false })];
  } catch (error) {
    if (error instanceof SuperOffloadError) return [];
    throw error;
  }
}
