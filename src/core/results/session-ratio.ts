import { sessionsOf } from '../gate/sessions.ts';
import { pairedRatio, ratioWithinRuns, type Ratio } from '../stats/ratio.ts';
import type { RunRecord } from './record.ts';
import { isMeasured } from './summarize.ts';

/** A ratio of launches that were made together, and which they were. */
export interface SessionRatio {
  readonly ratio: Ratio;
  readonly baseline: readonly RunRecord[];
  readonly candidate: readonly RunRecord[];
}

/**
 * How many times as fast a case ran as another, of the newest session that has launches of both: two machines of one
 * kind, or two days on one, differ by more than two launches in a row do. Launches that were run in turns are paired;
 * of one launch each the interval joins both runs' own.
 * @returns null where no session has both
 */
export function sessionRatio(
  baseline: readonly RunRecord[],
  candidate: readonly RunRecord[],
): SessionRatio | null {
  const [before, after] = [new Set(baseline.filter(isMeasured)), new Set(candidate.filter(isMeasured))];
  for (const session of sessionsOf([...before, ...after]).reverse()) {
    const a = session.filter((record) => before.has(record));
    const b = session.filter((record) => after.has(record));
    const ratio = ratioOf(a, b);
    if (ratio !== null) return { ratio, baseline: a, candidate: b };
  }
  return null;
}

function ratioOf(baseline: readonly RunRecord[], candidate: readonly RunRecord[]): Ratio | null {
  const [before, after] = [baseline.at(-1), candidate.at(-1)];
  if (before === undefined || after === undefined) return null;
  return (
    pairedRatio(baseline.map(medianOf), candidate.map(medianOf)) ??
    ratioWithinRuns(before.stepMs, after.stepMs)
  );
}

function medianOf({ statistics }: RunRecord): number {
  return statistics?.medianMs ?? Number.NaN;
}
