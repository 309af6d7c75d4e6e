import type { RunRecord } from '../results/record.ts';
import { baselineVersion, type Baseline, type Reference } from './baseline.ts';
import { limitsOf, orient } from './decide.ts';
import { changeOf } from './estimate.ts';
import { keyOf } from './gate-case.ts';
import { groupByKey } from './gate.ts';
import { makeReferences, type ReferenceOptions } from './make-references.ts';
import { metrics } from './metric.ts';

export interface UpdateOptions extends ReferenceOptions {
  /** References may become worse. */
  readonly allowLooser: boolean;
}

/** What an update does to one reference. */
export interface ReferenceChange {
  readonly kind:
    | 'added'
    /** Better, past the noise. */
    | 'tightened'
    /** Worse than before: only where the user allows it. */
    | 'loosened'
    /** No worse and no better than the noise: the old one stays, or references would drift after every lucky launch. */
    | 'kept'
    /** Worse past the noise, and not allowed: nothing is written. */
    | 'refused';
  readonly before: Reference | null;
  readonly after: Reference;
}

export interface UpdatePlan {
  readonly next: Baseline;
  readonly changes: readonly ReferenceChange[];
  /** False where nothing would change, or something is refused. */
  readonly writes: boolean;
}

/** Plans what new runs make of a baseline. References whose case was not run stay as they are. */
export function planUpdate(
  before: Baseline | null,
  runs: readonly RunRecord[],
  history: readonly RunRecord[],
  options: UpdateOptions & { readonly utc: string },
): UpdatePlan {
  const old = new Map((before?.references ?? []).map((reference) => [nameOf(reference), reference]));
  const byKey = groupByKey(runs);
  const past = groupByKey(history);
  const changes = makeReferences(runs, history, options).map((made) => {
    const known = old.get(nameOf(made));
    if (known === undefined) return { kind: 'added' as const, before: null, after: made };
    // The bounds are a person's decision: an update brings values.
    const after = { ...made, lower: known.lower, upper: known.upper };
    const key = keyOf(made.case);
    const kind = kindOf(known, after, byKey.get(key) ?? [], past.get(key) ?? [], options.allowLooser);
    return { kind, before: known, after };
  });
  const replaced = new Map(changes.map((change) => [nameOf(change.after), change]));
  const references = [
    ...(before?.references ?? []).map((reference) => chosen(reference, replaced.get(nameOf(reference)))),
    ...changes.filter(({ kind }) => kind === 'added').map(({ after }) => after),
  ];
  const next: Baseline = {
    schemaVersion: baselineVersion,
    updatedUtc: options.utc,
    references,
    expectedFailures: before?.expectedFailures ?? [],
  };
  const isRefused = changes.some(({ kind }) => kind === 'refused');
  const isChanged = changes.some(({ kind }) => kind !== 'kept');
  return { next, changes, writes: isChanged && !isRefused };
}

function chosen(reference: Reference, change: ReferenceChange | undefined): Reference {
  const isTaken = change?.kind === 'tightened' || change?.kind === 'loosened';
  return isTaken ? change.after : reference;
}

function kindOf(
  before: Reference,
  after: Reference,
  runs: readonly RunRecord[],
  history: readonly RunRecord[],
  allowLooser: boolean,
): ReferenceChange['kind'] {
  const gain = gainOf(before, after);
  if (gain === 0) return 'kept';
  if (isPastNoise(before, runs, history))
    return gain > 0 ? 'tightened' : allowLooser ? 'loosened' : 'refused';
  if (!allowLooser) return 'kept';
  return gain > 0 ? 'tightened' : 'loosened';
}

/** How much better the limit becomes, of logarithms. */
function gainOf(before: Reference, after: Reference): number {
  const move = Math.log(after.value / before.value);
  return metrics[before.metric].worse === 'down' ? move : -move;
}

/** Whether the 95% interval of the change leaves no change out. A size that a search found has no noise. */
function isPastNoise(
  reference: Reference,
  candidates: readonly RunRecord[],
  history: readonly RunRecord[],
): boolean {
  if (metrics[reference.metric].kind === 'searched') return true;
  const change = changeOf({ reference, candidates, history, trusted: 'sessions' });
  if (change === null) return false;
  const seen = orient({ reference, change });
  if (seen === null || !change.isKnown) return Math.abs(change.log) > Math.abs(limitsOf(reference).worst);
  return seen.low > 0 || seen.high < 0;
}

function nameOf({ case: subject, metric }: Reference): string {
  return `${metric} ${keyOf(subject)}`;
}
