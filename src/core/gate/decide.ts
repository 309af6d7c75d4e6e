import { adjustedPValues } from '../stats/false-discovery.ts';
import type { Reference } from './baseline.ts';
import type { Change } from './estimate.ts';
import { metrics } from './metric.ts';
import type { GateRow } from './report.ts';

/** Chance of any false alarm in a gate where nothing changed. */
export const falseAlarmRate = 0.01;

/** One reference with the change that was seen. */
export interface Tested {
  readonly reference: Reference;
  readonly change: Change;
}

/** How far a change goes in the good direction: below 0 is worse, of logarithms. */
export interface Oriented {
  readonly gain: number;
  readonly low: number;
  readonly high: number;
  /** How likely so bad a change is without any. */
  readonly pWorse: number;
}

/** @returns null where there is no interval. */
export function orient({ reference, change }: Tested): Oriented | null {
  const { estimate } = change;
  if (estimate === null) return null;
  const { mean, low, high, pBelow } = estimate;
  if (metrics[reference.metric].worse === 'down') return { gain: mean, low, high, pWorse: pBelow };
  return { gain: -mean, low: -high, high: -low, pWorse: 1 - pBelow };
}

/** Bounds as gains: how much worse is allowed (below 0), how much better is stale (above 0). */
export function limitsOf({ metric, lower, upper }: Pick<Reference, 'metric' | 'lower' | 'upper'>): {
  readonly worst: number;
  readonly stale: number;
} {
  const down = lower === null ? Number.NEGATIVE_INFINITY : Math.log1p(lower);
  const up = upper === null ? Number.POSITIVE_INFINITY : Math.log1p(upper);
  return metrics[metric].worse === 'down' ? { worst: down, stale: up } : { worst: -up, stale: -down };
}

type Decision = Pick<GateRow, 'status' | 'reason' | 'hint' | 'pValue'>;

/**
 * Decides all references of one gate together (report.ts, gateRule). The p values of what is measured are adjusted
 * for one another; what is counted has no noise and no p value.
 */
export function decide(tested: readonly Tested[]): Decision[] {
  const oriented = tested.map(orient);
  const isTest = tested.map(({ change }) => change.isKnown && change.basis !== 'counted');
  const family = oriented.flatMap((each, index) =>
    each !== null && isTest[index] === true ? [each.pWorse] : [],
  );
  const adjusted = adjustedPValues(family);
  let next = 0;
  return tested.map((each, index) => {
    const pValue = isTest[index] === true ? (adjusted[next++] ?? null) : null;
    return { ...decideOne(each, oriented[index] ?? null, pValue), pValue };
  });
}

/** Rounding of stored values must not decide: a reference read back from a file is the same reference. */
const epsilon = 1e-9;

function decideOne(tested: Tested, seen: Oriented | null, pValue: number | null): Omit<Decision, 'pValue'> {
  const { reference, change } = tested;
  const { worst, stale } = limitsOf(reference);
  const allowed = `${percent(metrics[reference.metric].worse === 'down' ? worst : -worst)} allowed`;
  const moved = movedText(change, reference);
  if (seen === null || !change.isKnown) return unknownNoise(change, moved);
  const isPast = seen.gain < worst - epsilon;
  if (isPast && (pValue === null || pValue < falseAlarmRate)) {
    const proof = pValue === null ? 'a count, the same in every launch' : `p ${pValue.toPrecision(2)}`;
    return {
      status: 'regression',
      reason: `${moved}: worse than the ${allowed}, past the noise (${proof})`,
      hint: null,
    };
  }
  if (seen.low >= worst - epsilon) {
    const isStale = seen.gain > stale + epsilon && seen.low > 0;
    if (!isStale) return { status: 'pass', reason: `${moved}: within the ${allowed}`, hint: null };
    return {
      status: 'improved',
      reason: `${moved}: better, past the noise`,
      hint: null,
    };
  }
  const why = isPast
    ? 'past the threshold, but not past the noise'
    : 'the interval reaches past the threshold';
  return { status: 'inconclusive', reason: `${moved}: ${why} (${allowed})`, hint: moreLaunches(change) };
}

function unknownNoise(change: Change, moved: string): Omit<Decision, 'pValue'> {
  const why = {
    'between launches': 'what differs between sessions is not known, and the reference is of another one',
    'between sessions': 'too few sessions',
    'within one run': 'one launch does not say how much launches differ',
    counted: '',
    unknown: 'nothing is known of the noise',
  }[change.basis];
  const hint =
    change.basis === 'between launches'
      ? 'run it on other days too (--history), compare on one machine in turns (gate --ab BASE HEAD), or say that sessions do not differ here (--noise launches)'
      : moreLaunches(change);
  return { status: 'inconclusive', reason: `${moved}: ${why}`, hint };
}

function moreLaunches({ basis }: Change): string {
  return basis === 'between sessions'
    ? 'more launches or sessions narrow it; in turns on one machine it is narrowest: superoffload gate --ab BASE HEAD'
    : 'launch it more often (--repeat 3), or keep more history (--history)';
}

function movedText({ log, basis }: Change, { metric }: Reference): string {
  return `${metric} ${percent(log)}${basis === 'within one run' ? ' (within one run)' : ''}`;
}

/** `-5.0%`, `+12%` of a logarithm. */
export function percent(log: number): string {
  if (!Number.isFinite(log)) return 'any change';
  const share = Math.expm1(log) * 100;
  const digits = Math.abs(share) < 10 ? 1 : 0;
  const text = share.toFixed(digits);
  return `${share > 0 ? '+' : ''}${Number(text) === 0 ? (0).toFixed(digits) : text}%`;
}
