/** Which of the open candidates is launched next. Positions count in the list of those that are open. */
export interface OpenCandidates {
  /** Indices, rising: above the largest that ran, and not proven to fail. */
  readonly open: readonly number[];
  /** Index of the largest that ran; -1 where nothing did. */
  readonly best: number;
  /** Something above `best` is known to fail. */
  readonly isBounded: boolean;
  /** Index of the largest candidate that is predicted to fit. */
  readonly predicted: number;
  readonly startsAbove: boolean;
  /** Launches, this one included, in which the open ones must be decided. */
  readonly budget: number;
}

/** @returns the index of the candidate, and whether it is one of the two at the predicted edge. */
export function chooseCandidate(facts: OpenCandidates): {
  readonly candidate: number;
  readonly isPredicted: boolean;
} {
  const { open, predicted, budget, startsAbove } = facts;
  const below = open.indexOf(predicted);
  const above = open.indexOf(predicted + 1);
  const first = firstPosition({ below, above, count: open.length, budget }, startsAbove);
  const position = first ?? withinBudget(gallop(facts), open.length, budget);
  return { candidate: open[position] ?? 0, isPredicted: first !== null };
}

/**
 * The predicted candidate or the one above it, whichever leaves the other as a second launch within the budget.
 * @returns a position among the open ones; null where both are decided.
 */
function firstPosition(
  at: { readonly below: number; readonly above: number; readonly count: number; readonly budget: number },
  prefersAbove: boolean,
): number | null {
  const { below, above, count, budget } = at;
  if (below < 0 && above < 0) return null;
  if (below < 0 || above < 0) return withinBudget(Math.max(below, above), count, budget);
  const aboveThenBelow = isSafe(above, count, budget) && isSafe(below, above, budget - 1);
  const belowThenAbove = isSafe(below, count, budget) && isSafe(0, count - above, budget - 1);
  if (aboveThenBelow && (prefersAbove || !belowThenAbove)) return above;
  return belowThenAbove ? below : withinBudget(below, count, budget);
}

/**
 * Away from the prediction in doubling steps; half of what is left where its other end is known.
 * @returns a position among the open ones.
 */
function gallop({ open, predicted, best, isBounded }: OpenCandidates): number {
  const middle = Math.floor(open.length / 2);
  const [first = 0] = open;
  const last = open.at(-1) ?? first;
  if (first > predicted) {
    const wanted = Math.max(0, best - predicted - 1);
    return Math.min(wanted, isBounded ? middle : open.length - 1);
  }
  if (last < predicted) {
    const wanted = open.length - Math.max(1, predicted - last);
    return Math.max(wanted, best >= 0 ? middle : 0);
  }
  return middle;
}

/** Whether a launch at a position leaves either side small enough to be bisected with what remains. */
function isSafe(position: number, count: number, budget: number): boolean {
  const most = 2 ** (budget - 1);
  return count - position <= most && position + 1 <= most;
}

/** The position nearest to the wanted one that is safe; the middle where none is. */
function withinBudget(wanted: number, count: number, budget: number): number {
  const most = 2 ** (budget - 1);
  const low = Math.max(0, count - most);
  const high = Math.min(count - 1, most - 1);
  return low > high ? Math.floor(count / 2) : Math.min(Math.max(wanted, low), high);
}
