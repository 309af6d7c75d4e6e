import { cellStanding, goodLaunches, lostLaunches, type CellState, type LaunchRules } from './state.ts';

/** What a campaign may do at a moment. */
export interface DriveOptions extends LaunchRules {
  /** Launches that may be under way; those of a job array wait in Slurm's queue for one another. */
  readonly maxJobs: number;
  /** Runs at the same time. */
  readonly atOnce: number;
  /** No launch begins that would not end by then, milliseconds since the epoch; null is no limit. */
  readonly deadlineMs: number | null;
  /** Wall time that a launch of a cell is expected to take, milliseconds; null where nobody knows. */
  readonly expectedMs: (state: CellState) => number | null;
}

/** The next move of a campaign. */
export type Decision =
  /** A launch that nobody follows: its tool is gone. It may run, or have ended meanwhile. */
  | { readonly move: 'attach'; readonly state: CellState; readonly runId: string }
  | { readonly move: 'start'; readonly state: CellState }
  /** As `start`, since an earlier launch was lost. */
  | { readonly move: 'retry'; readonly state: CellState; readonly lost: number }
  /** Until one that runs has ended. */
  | { readonly move: 'wait' }
  /** Nothing runs and nothing is to start. */
  | { readonly move: 'done'; readonly left: readonly CellState[] };

/**
 * Decides what to do next. Cells come in the order given, those with fewer good launches first: of repeats every cell
 * has its first before any has its second. A cell that lost a launch waits until the others of its round had theirs.
 * @param followed keys of cells that this tool has a launch of under way
 * @param nowMs milliseconds since the epoch
 */
export function nextMove(
  states: readonly CellState[],
  followed: ReadonlySet<string>,
  options: DriveOptions,
  nowMs: number,
): Decision {
  for (const state of states) {
    if (followed.has(state.cell.key)) continue;
    const lone = state.attempts.find(({ outcome }) => outcome === null);
    if (lone !== undefined) return { move: 'attach', state, runId: lone.runId };
  }
  if (followed.size >= options.maxJobs) return { move: 'wait' };
  const todo = states.filter(
    (state) => !followed.has(state.cell.key) && cellStanding(state, options) === 'todo',
  );
  const beginMs = nowMs + backlogMs(states, followed, options);
  const inTime = todo.filter((state) => endsInTime(state, options, beginMs));
  const chosen = first(inTime, options);
  if (chosen === null) return followed.size > 0 ? { move: 'wait' } : { move: 'done', left: todo };
  const lost = lostLaunches(chosen, options);
  return lost === 0 ? { move: 'start', state: chosen } : { move: 'retry', state: chosen, lost };
}

/** An unknown duration counts as none: it may begin until the deadline. */
function endsInTime(state: CellState, { deadlineMs, expectedMs }: DriveOptions, beginMs: number): boolean {
  return deadlineMs === null || beginMs + (expectedMs(state) ?? 0) < deadlineMs;
}

/** How long a launch will wait for those before it. */
function backlogMs(
  states: readonly CellState[],
  followed: ReadonlySet<string>,
  { deadlineMs, atOnce, expectedMs }: DriveOptions,
): number {
  if (deadlineMs === null || followed.size < atOnce) return 0;
  const before = states.filter(({ cell }) => followed.has(cell.key));
  return before.reduce((sum, state) => sum + (expectedMs(state) ?? 0), 0) / atOnce;
}

function first(states: readonly CellState[], rules: LaunchRules): CellState | null {
  let best: CellState | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const state of states) {
    // No cell loses as many as a thousand launches.
    const rank = goodLaunches(state) * 1_000 + lostLaunches(state, rules);
    if (rank < bestRank) [best, bestRank] = [state, rank];
  }
  return best;
}
