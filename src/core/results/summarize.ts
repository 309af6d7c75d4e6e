import { groupBy } from '../collections/group-by.ts';
import { launchInterval } from '../stats/launch-interval.ts';
import { pairedRatio, ratioWithinRuns, type Ratio } from '../stats/ratio.ts';
import type { StepStatistics } from '../stats/steps.ts';
import { unfairness } from './fairness.ts';
import type { RunRecord, Throughput } from './record.ts';

/** Below it a range stands in an interval's place: too few steps, or steps too alike. */
export const fullConfidence = 0.95;

/** All launches of one case, as one row of a table. */
export interface CaseSummary {
  readonly caseId: string;
  /** The launch that stands for the row in what is no time: the median one of those that measured something. */
  readonly record: RunRecord;
  /** In the order in which they were run, failed ones included. */
  readonly launches: readonly RunRecord[];
  readonly stepMs: number | null;
  readonly interval: StepStatistics['interval'];
  /** Of `stepMs`, so that every number of a row speaks of the same time. */
  readonly throughput: Throughput;
}

/** Speed of a case against the baseline of its group, above 1 is faster. */
export interface ModeRatio {
  readonly caseId: string;
  readonly baselineCaseId: string;
  readonly ratio: Ratio;
  /** False where one of two single runs has no 95% interval, so that the ratio's is no 95% interval either. */
  readonly confident: boolean;
  /** Why the ratio says less than it seems to; empty when it is fair. */
  readonly unfair: readonly string[];
}

/** Groups launches by case, in the order in which the cases first ran. */
export function summarizeCases(records: readonly RunRecord[]): CaseSummary[] {
  return [...groupBy(records, (record) => record.caseId)].map(([caseId, launches]) =>
    summarize(caseId, launches),
  );
}

function summarize(caseId: string, launches: readonly RunRecord[]): CaseSummary {
  const measured = launches.filter(isMeasured).sort((a, b) => medianOf(a) - medianOf(b));
  const record = measured[Math.floor((measured.length - 1) / 2)] ?? launches.at(-1);
  if (record === undefined) throw new Error(`case ${caseId} has no launch`);
  const between = launchInterval(measured.map(medianOf));
  if (between !== null) {
    const { centerMs, lowMs, highMs } = between;
    const interval = { lowMs, highMs, confidence: 0.95, basis: 'between launches' } as const;
    const throughput = throughputAt(record, centerMs);
    return { caseId, record, launches, stepMs: centerMs, interval, throughput };
  }
  const only = measured[0]?.statistics ?? null;
  const interval = only?.interval ?? null;
  return {
    caseId,
    record,
    launches,
    stepMs: only?.medianMs ?? null,
    interval,
    throughput: record.throughput,
  };
}

/** The throughput of a record at another step time: the work of a step stays, so every rate scales with time. */
function throughputAt(record: RunRecord, stepMs: number): Throughput {
  const { throughput } = record;
  const scale = (rate: number | null): number | null =>
    rate === null ? null : (rate * medianOf(record)) / stepMs;
  return {
    ...throughput,
    modelTflopsPerGpu: scale(throughput.modelTflopsPerGpu),
    hardwareTflopsPerGpu: scale(throughput.hardwareTflopsPerGpu),
    mfu: scale(throughput.mfu),
    tokensPerSecond: scale(throughput.tokensPerSecond),
    loggedTflopsPerGpu: scale(throughput.loggedTflopsPerGpu),
  };
}

/** Modes that a ratio is taken against, the first that was measured: what people run today. */
const baselineModes = ['zero_offload', 'zero_infinity', 'zero_3', 'zero_2', 'ddp'] as const;

/** Ratios of the modes of each size against its baseline. */
export function modeRatios(summaries: readonly CaseSummary[]): ModeRatio[] {
  const groups = groupBy(
    summaries.filter((summary) => summary.stepMs !== null && summary.record.case !== null),
    ({ record }) => `${record.case?.model.name ?? ''} ${record.worldSize}`,
  );
  return [...groups.values()].flatMap((group) => {
    const baseline = baselineModes
      .map((mode) => group.find(({ record }) => record.case?.mode === mode))
      .find((summary) => summary !== undefined);
    if (baseline === undefined) return [];
    return group
      .filter((summary) => summary !== baseline)
      .flatMap((summary) => ratioOf(baseline, summary) ?? []);
  });
}

function ratioOf(baseline: CaseSummary, candidate: CaseSummary): ModeRatio | null {
  const rounds = pairedRounds(baseline, candidate);
  const ratio =
    pairedRatio(
      rounds.map(([before]) => medianOf(before)),
      rounds.map(([, after]) => medianOf(after)),
    ) ?? ratioWithinRuns(baseline.record.stepMs, candidate.record.stepMs);
  if (ratio === null) return null;
  return {
    caseId: candidate.caseId,
    baselineCaseId: baseline.caseId,
    ratio,
    confident: ratio.basis === 'between launches' || [baseline, candidate].every(isConfident),
    unfair: unfairness(candidate.record, baseline.record),
  };
}

/** Launches of one round side by side; a round in which one of the two failed is left out, not shifted. */
function pairedRounds(baseline: CaseSummary, candidate: CaseSummary): (readonly [RunRecord, RunRecord])[] {
  const [befores, afters] = [baseline, candidate].map(roundsOf) as [RunRecord[], RunRecord[]];
  return befores.flatMap((before, round) => {
    const after = afters[round];
    return after !== undefined && isMeasured(before) && isMeasured(after) ? [[before, after] as const] : [];
  });
}

/** A trial of a tuning that was stopped early is of no round. */
function roundsOf({ launches }: CaseSummary): RunRecord[] {
  return launches.filter(({ abandoned }) => abandoned === undefined);
}

function isConfident({ interval }: CaseSummary): boolean {
  return interval !== null && interval.confidence >= fullConfidence;
}

/**
 * Whether a launch's steps count: it ended well, or is a command that never says so and exited with 0. One that was
 * given up early has too few of them.
 */
export function isMeasured(record: RunRecord): boolean {
  const ended =
    record.outcome.class === 'ok' || (record.outcome.class === 'incomplete' && record.exit.exitCode === 0);
  return ended && record.abandoned === undefined && record.statistics !== null;
}

function medianOf(record: RunRecord): number {
  return record.statistics?.medianMs ?? Number.NaN;
}
