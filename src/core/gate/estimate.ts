import type { RunRecord } from '../results/record.ts';
import { momentsOf, studentEstimate, type MeanEstimate } from '../stats/mean-test.ts';
import { median } from '../stats/median.ts';
import type { Deviation, Noise, Reference } from './baseline.ts';
import { isTimed, metrics } from './metric.ts';
import {
  combine,
  followsWithin,
  logsOf,
  pooledWithin,
  sessionMeans,
  sessionsOf,
  type Session,
} from './sessions.ts';

/** Which noise a change was held against. */
export type NoiseBasis = 'between sessions' | 'between launches' | 'within one run' | 'counted' | 'unknown';

/** A change of a metric, as the natural logarithm of value over reference: below 0 is less. */
export interface Change {
  /** Geometric mean of the launches. */
  readonly value: number;
  readonly log: number;
  /** null where no interval can be given. */
  readonly estimate: MeanEstimate | null;
  readonly basis: NoiseBasis;
  /** Whether the basis may decide anything. */
  readonly isKnown: boolean;
  readonly launches: number;
}

/** Fewer degrees of freedom are no estimate of a deviation that a verdict could rest on. */
const minDegrees = 2;

export interface Compared {
  readonly reference: Reference;
  readonly candidates: readonly RunRecord[];
  /** Earlier runs of the case, which only say how much it varies. */
  readonly history: readonly RunRecord[];
  /** `launches`: what differs between sessions is taken for nothing; for a machine of one's own. */
  readonly trusted: 'sessions' | 'launches';
}

/**
 * The change of one metric against its reference, with the noise that fits: between sessions where it is known,
 * between launches where reference and candidates are of one session or the user says that sessions do not differ,
 * else within a run, which decides nothing.
 * Student's t with a pooled deviation: s sqrt(1/n + 1/m), n and m the units (sessions or launches) of either side.
 * @returns null where no candidate has the metric
 */
export function changeOf(compared: Compared): Change | null {
  const { reference, candidates } = compared;
  const metric = metrics[reference.metric];
  const sessions = sessionsOf(candidates);
  const groups = logsOf(sessions, metric.valueOf);
  const logs = groups.flat();
  if (logs.length === 0) return null;
  const log = momentsOf(logs).mean - Math.log(reference.value);
  const shared = { value: Math.exp(momentsOf(logs).mean), log, launches: logs.length };
  if (metric.kind === 'counted') {
    return { ...shared, estimate: studentEstimate(log, 0, 1), basis: 'counted', isKnown: true };
  }
  const withinRun = isTimed(metric) ? halfWidthOf(candidates) : null;
  const noise = reference.noise ?? null;
  const found = estimateOf(compared, { log, groups, sessions, withinRun });
  return { ...shared, ...(found ?? { ...withinRunEstimate(log, withinRun, noise), isKnown: false }) };
}

interface Sample {
  readonly log: number;
  /** Of the candidates, a list for each session. */
  readonly groups: readonly (readonly number[])[];
  readonly sessions: readonly Session[];
  readonly withinRun: number | null;
}

/** @returns null where neither sessions nor launches say how much they differ. */
function estimateOf(
  { reference, history, trusted }: Compared,
  { log, groups, sessions, withinRun }: Sample,
): Pick<Change, 'estimate' | 'basis' | 'isKnown'> | null {
  const { valueOf } = metrics[reference.metric];
  const noise = reference.noise ?? null;
  const past = sessionsOf(history);
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const session = betweenSessions(noise, [past, sessions], valueOf);
  if (session !== null && session.degrees >= minDegrees) {
    const deviation = Math.max(session.deviation, floorOf(withinRun, count / groups.length));
    const error = deviation * Math.sqrt(share(noise?.sessions) + 1 / groups.length);
    const estimate = studentEstimate(log, error, session.degrees);
    return { estimate, basis: 'between sessions', isKnown: true };
  }
  const launch = combine([
    noise?.betweenLaunches ?? null,
    pooledWithin([...logsOf(past, valueOf), ...groups]),
  ]);
  if (launch === null || launch.degrees < minDegrees) return null;
  const deviation = Math.max(launch.deviation, floorOf(withinRun, 1));
  const estimate = studentEstimate(
    log,
    deviation * Math.sqrt(share(noise?.launches) + 1 / count),
    launch.degrees,
  );
  const isKnown = trusted === 'launches' || isOneSession(reference, sessions);
  return { estimate, basis: 'between launches', isKnown };
}

/** What the reference adds to the error: nothing where a person set it, for then it is no measurement. */
function share(count: number | undefined): number {
  return count === undefined ? 0 : 1 / count;
}

function betweenSessions(
  noise: Noise | null,
  sessions: readonly (readonly Session[])[],
  valueOf: (record: RunRecord) => number | null,
): Deviation | null {
  return combine([
    noise?.betweenSessions ?? null,
    ...sessions.map((each) => pooledWithin(sessionMeans(each, valueOf))),
  ]);
}

/** A deviation between launches is never below what the steps of one launch leave open; its interval is 1.96 wide. */
function floorOf(withinRun: number | null, launches: number): number {
  return withinRun === null ? 0 : withinRun / 1.96 / Math.sqrt(launches);
}

/** Both runs' own intervals joined end to end: wide, and blind to what a second launch would differ by. */
function withinRunEstimate(
  log: number,
  withinRun: number | null,
  noise: Noise | null,
): Pick<Change, 'estimate' | 'basis'> {
  if (withinRun === null) return { estimate: null, basis: 'unknown' };
  const width = withinRun + (noise?.withinRun ?? 0);
  const estimate = { mean: log, low: log - width, high: log + width, pBelow: 1 };
  return { estimate, basis: 'within one run' };
}

/**
 * Half width of a run's own 95% interval, of logarithms, the median of several runs: one launch that a neighbour
 * slowed has an interval as wide as the slowing. null where no run has one.
 */
export function halfWidthOf(runs: readonly RunRecord[]): number | null {
  const widths = runs.flatMap(({ statistics }) => {
    const interval = statistics?.interval ?? null;
    return interval === null || !(interval.lowMs > 0) ? [] : [Math.log(interval.highMs / interval.lowMs) / 2];
  });
  return widths.length === 0 ? null : median(widths);
}

function isOneSession({ noise, provenance }: Reference, sessions: readonly Session[]): boolean {
  const first = sessions[0]?.[0];
  if (provenance === undefined || first === undefined || sessions.length > 1) return false;
  return noise?.sessions === 1 && followsWithin(provenance.lastUtc, first.startedUtc);
}
