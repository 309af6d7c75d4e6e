import { groupBy } from '../../core/collections/group-by.ts';
import { modes } from '../../core/deepspeed/modes/registry.ts';
import type { Case, ModeName } from '../../core/experiment/case.ts';
import type { StepStatistics } from '../../core/stats/steps.ts';
import { candidateKey } from '../../core/tune/propose/propose.ts';
import type { Explanation } from '../../core/tune/explain/explain.ts';
import { pooledResult } from '../../core/tune/measured.ts';
import type { Candidate, MeasuredResult, TrialResult, Verdict } from '../../core/tune/tuning.ts';
import type { ChoicePaths } from './choice-files.ts';
import { resultText, settingsText } from './progress.ts';
import { publishedModes, type PublishedRun } from './published.ts';
import type { RunTrial } from './known-trials.ts';
import type { SizeOutcome } from './run-tune.ts';

/** One trial in numbers. Memory in GiB: a chip of the GPU as PyTorch reserved it, a node of the host. */
export interface TrialReport {
  readonly mode: ModeName;
  readonly model: string;
  readonly settings: string;
  readonly runId: string;
  /** Run by another command before. */
  readonly isStored: boolean;
  readonly result: TrialResult;
  /** In words: `0.56 s/step, 213 TFLOPS`, `out of host memory`. */
  readonly text: string;
  readonly interval: StepStatistics['interval'];
  /**
   * Speed against the best published configuration of this size that ran, above 1 is faster; null where none ran. Of both
   * the whole launches are pooled, so that rows of one configuration have one ratio; stopped early it is its own.
   */
  readonly ratio: number | null;
  /** It took over 10% more GPU memory than that one. */
  readonly takesMoreGpu: boolean;
  readonly isChoice: boolean;
  readonly case: Case;
}

/** What was chosen, and how it is used. */
export interface ChoiceReport {
  readonly mode: ModeName;
  readonly model: string;
  readonly settings: string;
  readonly why: readonly string[];
  /** By prediction alone: nothing was measured. */
  readonly isPredicted: boolean;
  readonly bindCores: boolean;
  readonly case: Case;
  readonly files: ChoicePaths;
  readonly command: string;
  /** The JSON has a section that plain DeepSpeed does not know. */
  readonly needsPatches: boolean;
}

/** One size, as `--json` prints it. */
export interface SizeReport {
  readonly name: string;
  readonly trials: readonly TrialReport[];
  readonly choice: ChoiceReport | null;
  readonly explanation: Explanation;
  /** The explanation in words: of the choice, and of each mode. */
  readonly lines: readonly string[];
  readonly verdicts: readonly Verdict[];
  readonly why: string;
  readonly minutes: number;
}

/** Trials in the order in which they were made. */
export function trialReports(
  { tuning, trials, best }: SizeOutcome,
  stored: readonly PublishedRun[],
): TrialReport[] {
  const { candidates } = tuning;
  const byKey = new Map(candidates.map((candidate, index) => [candidateKey(candidate), index]));
  const launches = groupBy(trials, ({ key }) => key);
  const models = new Set(candidates.map(({ subject }) => subject.model.name));
  const bestOf = new Map(
    [...models].map((model) => [model, bestPublished(candidates, trials, stored, model)]),
  );
  return trials.flatMap(({ key, record, result, runId, isStored }): TrialReport[] => {
    const index = byKey.get(key);
    const candidate = index === undefined ? undefined : candidates[index];
    if (candidate === undefined) return [];
    const published = bestOf.get(candidate.subject.model.name) ?? null;
    const isWhole = result.kind === 'measured' && result.isWhole;
    const own = isWhole ? pooledResult(measuredOf(launches.get(key) ?? [])) : result;
    return [
      {
        ...named(candidate),
        ...{ runId, isStored, result },
        text: resultText(result),
        interval: record.statistics?.interval ?? null,
        ratio: ratioOf(own ?? result, published),
        takesMoreGpu: takesMore(result, published),
        isChoice: index === best && isWhole,
        case: candidate.subject,
      },
    ];
  });
}

export function named(candidate: Candidate) {
  const { mode, model } = candidate.subject;
  return { mode, model: model.name, settings: settingsText(candidate) };
}

/**
 * The fastest published configuration of a size by all of its whole launches: the luckiest single one is no measure of it.
 * A run that is both a trial and stored counts once.
 * @returns null where none ran
 */
function bestPublished(
  candidates: readonly Candidate[],
  trials: readonly RunTrial[],
  stored: readonly PublishedRun[],
  model: string,
): MeasuredResult | null {
  const subjects = candidates.map(({ subject }) => subject);
  const keys = new Set(
    candidates
      .filter(({ subject }) => subject.model.name === model && isPublished(subject, subjects))
      .map((candidate) => candidateKey(candidate)),
  );
  const runs = new Map<string, Pick<PublishedRun, 'key' | 'result'>>();
  for (const run of stored) if (run.model === model) runs.set(run.runId, run);
  for (const { runId, key, result } of trials) {
    if (result.kind === 'measured' && keys.has(key)) runs.set(runId, { key, result });
  }
  return [...groupBy([...runs.values()], ({ key }) => key).values()]
    .flatMap((own) => pooledResult(measuredOf(own)) ?? [])
    .reduce<MeasuredResult | null>(
      (best, one) => (best === null || one.medianStepMs < best.medianStepMs ? one : best),
      null,
    );
}

function measuredOf(runs: readonly { readonly result: TrialResult }[]): MeasuredResult[] {
  return runs.flatMap(({ result }) => (result.kind === 'measured' ? [result] : []));
}

/** Batch and recomputation are not part of it: the paper takes what fits. Keys that every candidate has are the user's. */
function isPublished({ mode, ratio, deepspeedOverrides }: Case, all: readonly Case[]): boolean {
  const fewest = Math.min(...all.map((one) => Object.keys(one.deepspeedOverrides).length));
  const isPlain = Object.keys(deepspeedOverrides).length === fewest;
  return publishedModes.includes(mode) && ratio === modes[mode].defaultRatio && isPlain;
}

function ratioOf(result: TrialResult, published: MeasuredResult | null): number | null {
  return result.kind === 'measured' && published !== null
    ? published.medianStepMs / result.medianStepMs
    : null;
}

const moreShare = 1.1;

function takesMore(result: TrialResult, published: MeasuredResult | null): boolean {
  if (result.kind !== 'measured' || published === null) return false;
  return (result.gpuGiB ?? 0) > moreShare * (published.gpuGiB ?? Number.POSITIVE_INFINITY);
}

/** Where a JSON has keys of this project's own, plain DeepSpeed reads the rest alone. */
export function needsPatches(config: string): boolean {
  return Object.hasOwn(JSON.parse(config) as object, 'superoffload');
}
