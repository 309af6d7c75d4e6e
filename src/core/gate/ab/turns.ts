import { isMeasured } from '../../results/summarize.ts';
import type { RunRecord } from '../../results/record.ts';
import { momentsOf, smallSampleEstimate, studentEstimate, type MeanEstimate } from '../../stats/mean-test.ts';
import { halfWidthOf } from '../estimate.ts';
import { isTimed, metrics, type MetricName } from '../metric.ts';
import { followsWithin, pooledWithin } from '../sessions.ts';
import { isUnfinished } from '../select-runs.ts';

export type SideName = 'base' | 'head';

/** A launch of one side. */
export interface AbLaunch {
  readonly side: SideName;
  readonly record: RunRecord;
}

/** Launches of the two sides, one after the other. */
export interface Pair {
  readonly base: RunRecord;
  readonly head: RunRecord;
}

/** Order within a pair: A B, B A, A B, B A ..., so that a drift in time favours neither side. */
export function orderOf(pair: number): readonly [SideName, SideName] {
  return pair % 2 === 0 ? ['base', 'head'] : ['head', 'base'];
}

/** What launches in order come to: whole pairs, and what is left out and why. */
export interface Turns {
  readonly pairs: readonly Pair[];
  /** A launch that waits for its partner: where a call was stopped in the middle of a pair. */
  readonly open: AbLaunch | null;
  /** A launch that failed by the code's own doing: it ends the comparison. */
  readonly failed: AbLaunch | null;
  readonly notes: readonly string[];
}

/**
 * Pairs up the launches of a journal, two by two. A launch that a person or a scheduler ended is run again; a pair
 * whose launches are hours apart (one before a stop, one after) is left out: its two sides did not meet one machine.
 */
export function turnsOf(launches: readonly AbLaunch[]): Turns {
  const notes: string[] = [];
  const finished = launches.filter(({ record }) => !isUnfinished(record));
  const failed = finished.find(({ record }) => !isMeasured(record)) ?? null;
  const pairs: Pair[] = [];
  let open: AbLaunch | null = null;
  for (const launch of finished.filter(({ record }) => isMeasured(record))) {
    if (open === null || open.side === launch.side) {
      if (open !== null) notes.push(`run ${open.record.runId} has no partner and is left out`);
      open = launch;
    } else if (!followsWithin(open.record.endedUtc ?? open.record.startedUtc, launch.record.startedUtc)) {
      notes.push(`run ${open.record.runId} was too long before its partner and is left out`);
      open = launch;
    } else {
      const [base, head] = open.side === 'base' ? [open, launch] : [launch, open];
      pairs.push({ base: base.record, head: head.record });
      open = null;
    }
  }
  return { pairs, open, failed, notes };
}

/** Below it the launches of each side are pooled: two pairs leave one degree of freedom, their four launches two. */
const minPairedPairs = 3;

/** What pairs say of one metric: natural logarithms of head over base. */
export interface AbChange {
  readonly baseValue: number;
  readonly headValue: number;
  readonly estimate: MeanEstimate | null;
}

/** @returns null where a launch does not say the metric. */
export function abChange(pairs: readonly Pair[], name: MetricName): AbChange | null {
  const metric = metrics[name];
  const logOf = (record: RunRecord): number => Math.log(metric.valueOf(record) ?? Number.NaN);
  const base = pairs.map((pair) => logOf(pair.base));
  const head = pairs.map((pair) => logOf(pair.head));
  if (pairs.length === 0 || ![...base, ...head].every(Number.isFinite)) return null;
  const values = {
    baseValue: Math.exp(momentsOf(base).mean),
    headValue: Math.exp(momentsOf(head).mean),
  };
  const changes = head.map((value, index) => value - (base[index] ?? Number.NaN));
  if (metric.kind === 'counted') {
    return { ...values, estimate: studentEstimate(momentsOf(changes).mean, 0, 1) };
  }
  const widths = isTimed(metric) ? halfWidthOf(pairs.flatMap((pair) => [pair.base, pair.head])) : null;
  const floor = ((widths ?? 0) / 1.96) * Math.sqrt(2 / pairs.length);
  const estimate = pairs.length < minPairedPairs ? pooledEstimate(base, head) : smallSampleEstimate(changes);
  return { ...values, estimate: estimate === null ? null : atLeast(estimate, floor) };
}

/** Student's t of two samples with one deviation, which the launches of both sides give together. */
function pooledEstimate(base: readonly number[], head: readonly number[]): MeanEstimate | null {
  const deviation = pooledWithin([base, head]);
  if (deviation === null) return null;
  const error = deviation.deviation * Math.sqrt(1 / base.length + 1 / head.length);
  return studentEstimate(momentsOf(head).mean - momentsOf(base).mean, error, deviation.degrees);
}

/** Launches that happen to agree are no proof beyond what their own steps leave open. */
function atLeast(estimate: MeanEstimate, floor: number): MeanEstimate {
  // The steps' own interval has its width whatever the number of launches: a t of many degrees.
  const least = studentEstimate(estimate.mean, floor, 1_000);
  if (floor === 0) return estimate;
  return {
    mean: estimate.mean,
    low: Math.min(estimate.low, least.low),
    high: Math.max(estimate.high, least.high),
    pBelow:
      estimate.mean < 0 ? Math.max(estimate.pBelow, least.pBelow) : Math.min(estimate.pBelow, least.pBelow),
  };
}
