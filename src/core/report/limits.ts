import { parameterCount } from '../model/shape.ts';
import { isSearch } from './best-ratios.ts';
import { formatTokens } from '../text/format.ts';
import { groupBy } from '../collections/group-by.ts';
import type { LimitRow, RunRow } from './report-data.ts';

/**
 * For each mode the largest candidate that ran, and beside it the smallest above that one which ended for want of
 * memory: a limit without the latter is only "at least".
 */
export function limitRows(runs: readonly RunRow[]): LimitRow[] {
  const searches = runs.filter(({ experiment, record }) => isSearch(experiment) && record.case !== null);
  const keyOf = (row: RunRow): string =>
    JSON.stringify([row.experiment, row.system, row.chips, row.mode, fixedOf(row)]);
  return [...groupBy(searches, keyOf).values()].flatMap((rows) => {
    const [first] = rows;
    return first === undefined ? [] : [limitOf(first, rows)];
  });
}

function limitOf(first: RunRow, rows: readonly RunRow[]): LimitRow {
  const bySize = [...rows].sort((a, b) => sizeOf(a) - sizeOf(b));
  const largest = bySize.findLast(({ outcome }) => outcome === 'ok');
  const above = largest === undefined ? Number.NEGATIVE_INFINITY : sizeOf(largest);
  const failed = bySize.find((row) => isMemory(row) && sizeOf(row) > above);
  const { system, experiment, mode, chips } = first;
  return {
    ...{ system, experiment, mode, chips, at: fixedOf(first) },
    largest: largest === undefined ? null : nameOf(largest),
    largestRunId: largest?.runId ?? null,
    smallestFailed: failed === undefined ? null : nameOf(failed),
    failedRunId: failed?.runId ?? null,
    failure: failed?.outcome ?? null,
  };
}

/** Two searches with another sequence, or of another model, know nothing of each other's limits. */
function fixedOf({ experiment, model, sequenceLength, record: { case: subject } }: RunRow): string {
  const fixed = experiment === 'model_size' ? `sequence ${formatTokens(sequenceLength ?? 0)}` : model;
  return `${fixed}, ${subject?.dtype ?? ''}`;
}

function isMemory({ outcome }: RunRow): boolean {
  return outcome === 'gpu_oom' || outcome === 'host_oom' || outcome === 'shm_full';
}

/** In the order of what is searched: parameters, or tokens of a sequence. */
function sizeOf({ experiment, record: { case: subject } }: RunRow): number {
  if (subject === null) return Number.NaN;
  return experiment === 'model_size'
    ? parameterCount(subject.model, subject.sequenceLength)
    : subject.sequenceLength;
}

function nameOf(row: RunRow): string {
  const { experiment, model, sequenceLength } = row;
  return experiment === 'model_size' ? model : `${formatTokens(sequenceLength ?? 0)} tokens`;
}
