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
 * kind, or two days on one, differ by more than two launches in a row do. Launches that were run in turns are paired,
 * each with the nearest of the other case where that has more; of one launch each the interval joins both runs' own.
 * @returns null where no session has both
 */
export function sessionRatio(
  baseline: readonly RunRecord[],
  candidate: readonly RunRecord[],
): SessionRatio | null {
  const [before, after] = [new Set(baseline.filter(isMeasured)), new Set(candidate.filter(isMeasured))];
  for (const session of sessionsOf([...before, ...after]).reverse()) {
    const ofA = session.filter((record) => before.has(record));
    const ofB = session.filter((record) => after.has(record));
    const [a, b] = [nearestTo(ofB, ofA), nearestTo(ofA, ofB)];
    const ratio = ratioOf(a, b);
    if (ratio !== null) return { ratio, baseline: a, candidate: b };
  }
  return null;
}

/**
 * As many of `launches` as there are of `others`, each of the same experiment as one of them where there is such, and of
 * those the nearest in time: of a session of hours the i-th of seven launches and the i-th of two were not run in turns, and
 * what a campaign ran in turns belongs together, though the next one's first launch came sooner.
 */
function nearestTo(others: readonly RunRecord[], launches: readonly RunRecord[]): readonly RunRecord[] {
  if (launches.length <= others.length) return launches;
  const left = new Set(launches);
  for (const other of others) {
    const isApart = ({ experiment }: RunRecord): number => Number(experiment !== other.experiment);
    const distance = ({ startedUtc }: RunRecord): number =>
      Math.abs(Date.parse(startedUtc) - Date.parse(other.startedUtc));
    const [nearest] = [...left].sort((a, b) => isApart(a) - isApart(b) || distance(a) - distance(b));
    if (nearest !== undefined) left.delete(nearest);
  }
  return launches.filter((record) => !left.has(record));
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
