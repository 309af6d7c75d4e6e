import type { TrialEvent } from '../../adapters/tune-journal.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { isComparable } from '../../core/results/comparable.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { candidateKey } from '../../core/tune/propose/propose.ts';
import { mostLaunches } from '../../core/tune/search/repeat.ts';
import type { KnownTrial } from '../../core/tune/search/search-state.ts';
import type { Candidate } from '../../core/tune/tuning.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { storedResults } from '../frontier/stored-results.ts';
import { attachRun } from '../runs/attach.ts';
import { toolIdentity } from '../tool-identity.ts';
import { trialResultOf } from './trial-result.ts';

/** A trial with the record of its run. */
export interface RunTrial extends KnownTrial {
  readonly record: RunRecord;
}

export type PlanOf = (candidate: Pick<Candidate, 'subject' | 'bindCores'>) => RunPlan;

/**
 * A trial of this tuning that an earlier command began before it was stopped. One that still runs is followed to its end.
 * One that took its whole --timeout has failed; one that the time of that command cut is made again.
 * @returns null for a run that was removed since, that was cut, that a person stopped, or that was on another machine or stack.
 */
export async function ownTrial(
  context: Context,
  { key, runId }: TrialEvent,
  candidate: Candidate,
  planOf: PlanOf,
): Promise<RunTrial | null> {
  const record = await recordOf(context, runId);
  if (record === null) return null;
  const now = { ...planOf(candidate), tool: await toolIdentity(context) };
  if (!isComparable(record, now)) return null;
  const trial = toTrial(key, record, false);
  if (trial?.result.kind !== 'unfinished') return trial;
  const { timeoutMs } = now.limits;
  const isAsked = timeoutMs !== null && record.durationMs !== null && record.durationMs >= timeoutMs;
  return isAsked ? { ...trial, result: { ...trial.result, kind: 'failed' } } : null;
}

/** What other commands have shown of candidates: of each the runs that say most, the newest of equals. */
export async function storedTrials(
  context: Context,
  candidates: readonly Candidate[],
  planOf: PlanOf,
  seen: ReadonlySet<string>,
): Promise<RunTrial[]> {
  const trials: RunTrial[] = [];
  for (const bindCores of [false, true]) {
    const group = candidates.filter((candidate) => candidate.bindCores === bindCores);
    if (group.length === 0) continue;
    const plans = group.map(planOf);
    const stored = await storedResults(context, plans);
    for (const [index, candidate] of group.entries()) {
      const records = stored.get(plans[index]?.caseId ?? '') ?? [];
      const found = records
        .filter(({ runId }) => !seen.has(runId))
        .flatMap((record) => toTrial(candidateKey(candidate), record, true) ?? []);
      trials.push(...mostTelling(found));
    }
  }
  return trials;
}

/** Whole launches are pooled, as many as a search makes of one candidate: what it launched twice it need not again. */
function mostTelling(trials: readonly RunTrial[]): RunTrial[] {
  const measured = trials.filter(({ result }) => result.kind === 'measured');
  const whole = measured.filter(({ result }) => result.kind === 'measured' && result.isWhole);
  if (whole.length > 0) return whole.slice(-mostLaunches);
  const found = measured.at(-1) ?? trials.at(-1);
  return found === undefined ? [] : [found];
}

/**
 * @param seconds of the whole launch; as the record has it where nobody timed it
 * @returns null for a run that says nothing
 */
export function toTrial(
  key: string,
  record: RunRecord,
  isStored: boolean,
  seconds: number = (record.durationMs ?? 0) / 1000,
): RunTrial | null {
  const result = trialResultOf(record);
  return result === null ? null : { key, record, result, runId: record.runId, seconds, isStored };
}

async function recordOf(context: Context, runId: string): Promise<RunRecord | null> {
  try {
    return await attachRun(context, runId);
  } catch (error) {
    if (!(error instanceof SuperOffloadError) || context.signal.aborted) throw error;
    context.emit({ type: 'note', message: `run ${runId} does not count: ${error.message}` });
    return null;
  }
}
