import { groupBy } from '../collections/group-by.ts';
import type { Case } from '../experiment/case.ts';
import type { Cell } from './cell.ts';

/**
 * Orders the cells of a campaign. What is compared (the modes of one size, on as many chips) stays side by side, in
 * the order of the experiment. One run after the other begins with what takes the least time: most results come soon,
 * and a fault that all share shows soon. Runs at the same time begin with the longest, so that none is left alone at
 * the end.
 * @param expectedMs of one launch; what nobody knows comes last, in the order of the experiment
 */
export function orderCells(
  cells: readonly Cell[],
  expectedMs: (cell: Cell) => number | null,
  longestFirst: boolean,
): Cell[] {
  const groups = groupBy(cells, (cell) => comparedWith(cell.case));
  const timed = [...groups.values()].map((group) => ({ group, ms: groupMs(group, expectedMs) }));
  const known = timed.filter(({ ms }) => ms !== null);
  const unknown = timed.filter(({ ms }) => ms === null);
  const sign = longestFirst ? -1 : 1;
  known.sort((a, b) => sign * ((a.ms ?? 0) - (b.ms ?? 0)));
  return [...known, ...unknown].flatMap(({ group }) => group);
}

/** What the cells of one row of a figure share: everything but the mode and what belongs to it. */
function comparedWith(subject: Case): string {
  const { workload, model, chips, sequenceParallel, sequenceLength, dtype, steps, seed } = subject;
  const { globalBatch, microBatch, activationCheckpointing } = subject;
  const words = [workload, model.name, chips, sequenceParallel, sequenceLength, dtype, steps, seed];
  return [...words, globalBatch, microBatch, activationCheckpointing].join(' ');
}

function groupMs(group: readonly Cell[], expectedMs: (cell: Cell) => number | null): number | null {
  let sum = 0;
  for (const cell of group) {
    const ms = expectedMs(cell);
    if (ms === null) return null;
    sum += ms;
  }
  return sum;
}
