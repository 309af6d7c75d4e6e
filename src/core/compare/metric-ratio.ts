import { isTimed, metrics, type Metric, type MetricName } from '../gate/metric.ts';
import type { RunRecord } from '../results/record.ts';
import { fullConfidence } from '../results/summarize.ts';
import { independentRatio, pairedRatio, ratioWithinRuns, type Ratio } from '../stats/ratio.ts';
import type { CompareUnit } from './unit.ts';

/** One number of one case on both sides. */
export interface MetricRatio {
  readonly metric: MetricName;
  readonly unit: string;
  /** Geometric mean of the launches; null where a side does not say. */
  readonly a: number | null;
  readonly b: number | null;
  /** B over A, with its interval; null where it cannot be taken. */
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /**
   * `pairs`: launches run in turns, each with its neighbour; `launches`: not in turns, what drifts between sessions is
   * not in the interval; `steps`: within one run, nothing is known of a second launch; `count`: bytes that are the same
   * in every launch; `values`: one of each, without any interval.
   */
  readonly basis: 'pairs' | 'launches' | 'steps' | 'count' | 'values';
  /** Launches of A and of B that the ratio is from. */
  readonly launches: readonly [number, number];
  /** False where the interval is less than 95% sure: too few steps, or steps too alike. */
  readonly confident: boolean;
  /** What B is; `unclear` where the interval holds 1, `unknown` without one. */
  readonly verdict: 'better' | 'worse' | 'unclear' | 'unknown';
}

/** Bytes of PyTorch's allocator are the same to this share in every launch of a case. */
const countShare = 0.001;

/** @returns null where neither side has the metric. */
export function metricRatio(name: MetricName, a: CompareUnit, b: CompareUnit): MetricRatio | null {
  const metric = metrics[name];
  const [left, right] = [valuesOf(metric, a.measured), valuesOf(metric, b.measured)];
  if (left.length === 0 && right.length === 0) return null;
  const shared = {
    metric: name,
    unit: metric.unit,
    a: meanOf(left.map(({ value }) => value)),
    b: meanOf(right.map(({ value }) => value)),
  };
  const nothing = {
    ratio: null,
    low: null,
    high: null,
    basis: 'values',
    confident: true,
    verdict: 'unknown',
  } as const;
  if (left.length === 0 || right.length === 0) {
    return { ...shared, ...nothing, launches: [left.length, right.length] };
  }
  const found = metric.kind === 'counted' ? counted(left, right) : measured(metric, a, b, left, right);
  return { ...shared, ...found, verdict: verdictOf(metric, found) };
}

interface Value {
  readonly record: RunRecord;
  readonly value: number;
}

/** Logarithms are taken of them: what is not above 0 has no ratio. */
function valuesOf({ valueOf }: Metric, launches: readonly RunRecord[]): Value[] {
  return launches.flatMap((record) => {
    const value = valueOf(record);
    return value !== null && value > 0 && Number.isFinite(value) ? [{ record, value }] : [];
  });
}

function meanOf(values: readonly number[]): number | null {
  const [only] = values;
  if (only === undefined || values.length === 1) return only ?? null;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

type Found = Pick<MetricRatio, 'ratio' | 'low' | 'high' | 'basis' | 'launches' | 'confident'>;

function counted(a: readonly Value[], b: readonly Value[]): Found {
  const ratio = (meanOf(b.map(({ value }) => value)) ?? 1) / (meanOf(a.map(({ value }) => value)) ?? 1);
  const [low, high] = [ratio * (1 - countShare), ratio * (1 + countShare)];
  return { ratio, low, high, basis: 'count', launches: [a.length, b.length], confident: true };
}

function measured(
  metric: Metric,
  a: CompareUnit,
  b: CompareUnit,
  left: readonly Value[],
  right: readonly Value[],
): Found {
  const pairs = pairsInTurns(a, b, left, right);
  const [of, to] = [pairs.map(([, after]) => after), pairs.map(([before]) => before)];
  const paired = pairedRatio(of, to);
  if (paired !== null)
    return { ...bounds(paired), basis: 'pairs', launches: [pairs.length, pairs.length], confident: true };
  const launches = [left.length, right.length] as const;
  const apart = independentRatio(
    right.map(({ value }) => value),
    left.map(({ value }) => value),
  );
  if (apart !== null) return { ...bounds(apart), basis: 'launches', launches, confident: true };
  const within = isTimed(metric) ? ratioOfSteps(metric, a.record, b.record) : null;
  if (within !== null) return { ...within, basis: 'steps', launches: [1, 1] };
  const ratio =
    (meanOf(right.map(({ value }) => value)) ?? 1) / (meanOf(left.map(({ value }) => value)) ?? 1);
  return { ratio, low: null, high: null, basis: 'values', launches, confident: true };
}

function bounds({ ratio, low, high }: Ratio): Pick<Found, 'ratio' | 'low' | 'high'> {
  return { ratio, low, high };
}

/** Every timed metric is a time or work over time: the steps' own spread is its spread. */
function ratioOfSteps(metric: Metric, a: RunRecord, b: RunRecord): Omit<Found, 'basis' | 'launches'> | null {
  const [of, to] = [metric.valueOf(b), metric.valueOf(a)];
  const times = metric.name === 'stepMs' ? ([b, a] as const) : ([a, b] as const);
  const found = ratioWithinRuns(times[0].stepMs, times[1].stepMs);
  if (found === null || of === null || to === null) return null;
  // Another batch or another size: the work of a step differs too, and exactly.
  const work = of / to / found.ratio;
  const confident = [a, b].every(
    ({ statistics }) => (statistics?.interval?.confidence ?? 0) >= fullConfidence,
  );
  return { ratio: of / to, low: found.low * work, high: found.high * work, confident };
}

/**
 * Launches that were run in turns (A B A B ..., A B B A ...): in the order of time, of every two that follow one another
 * one is A's and one is B's. A turn of which one failed is left out, not shifted.
 * @returns values of A and B, a pair each; none where they were not.
 */
function pairsInTurns(
  a: CompareUnit,
  b: CompareUnit,
  left: readonly Value[],
  right: readonly Value[],
): (readonly [number, number])[] {
  if (a.launches.length !== b.launches.length) return [];
  const own = new Set(a.launches);
  const values = new Map([...left, ...right].map(({ record, value }) => [record, value]));
  const inTime = [...a.launches, ...b.launches].sort((x, y) => (x.startedUtc < y.startedUtc ? -1 : 1));
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at + 1 < inTime.length; at += 2) {
    const [first, second] = [inTime[at], inTime[at + 1]] as [RunRecord, RunRecord];
    if (own.has(first) === own.has(second)) return [];
    const [before, after] = own.has(first) ? [first, second] : [second, first];
    const [x, y] = [values.get(before), values.get(after)];
    if (x !== undefined && y !== undefined) pairs.push([x, y]);
  }
  return pairs;
}

function verdictOf({ worse }: Metric, { low, high }: Found): MetricRatio['verdict'] {
  if (low === null || high === null) return 'unknown';
  if (low <= 1 && high >= 1) return 'unclear';
  return low > 1 === (worse === 'up') ? 'worse' : 'better';
}
