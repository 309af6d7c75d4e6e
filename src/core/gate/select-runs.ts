import { isMeasured } from '../results/summarize.ts';
import type { RunRecord } from '../results/record.ts';
import type { Reference } from './baseline.ts';
import { oldestFirst, sessionsOf } from './sessions.ts';

/** The runs that a reference is held against, and those that only say how much they vary. */
export interface SelectedRuns {
  readonly candidates: readonly RunRecord[];
  readonly history: readonly RunRecord[];
}

export interface RunPool {
  /** What the user named, of the reference's case; null: the newest session since the reference. */
  readonly named: readonly RunRecord[] | null;
  /** All stored runs of the case. */
  readonly stored: readonly RunRecord[];
  /** Earlier runs at most, the newest first. */
  readonly historyLimit: number;
  /** The reference's own noise already holds what ran before it. */
  readonly holdsPast: boolean;
}

/** @returns candidates and history, which never share a run; the runs of the reference itself are in neither. */
export function selectRuns(reference: Reference, pool: RunPool): SelectedRuns {
  const own = new Set(reference.provenance?.runs ?? []);
  const lastUtc = reference.provenance?.lastUtc ?? '';
  const others = pool.stored.filter(({ runId }) => !own.has(runId));
  const later = others.filter(({ startedUtc }) => startedUtc > lastUtc);
  const newest = sessionsOf(later.filter((record) => !isUnfinished(record))).at(-1) ?? [];
  const candidates = pool.named ?? newest;
  const taken = new Set(candidates.map(({ runId }) => runId));
  const past = (pool.holdsPast ? later : others).filter(
    (record) => !taken.has(record.runId) && isMeasured(record),
  );
  const history = pool.historyLimit === 0 ? [] : oldestFirst(past).slice(-pool.historyLimit);
  return { candidates, history };
}

const unfinished: ReadonlySet<string> = new Set([
  'interrupted',
  'cancelled',
  'preempted',
  'node_fail',
  'unsupported',
]);

/** Ended by a person, a scheduler or a node, or given up by a tuning: it says nothing of the code. */
export function isUnfinished({ outcome, abandoned }: RunRecord): boolean {
  return unfinished.has(outcome.class) || (abandoned !== undefined && outcome.class === 'ok');
}
