import { median } from '../stats/median.ts';
import { cellStanding, goodLaunches, type CellState, type LaunchRules } from './state.ts';

/** Wall time of a launch by the key of its cell, milliseconds; absent or null where there is none. */
export type Durations = Readonly<Record<string, number | null>>;

/**
 * Wall time of a launch: as earlier launches of the same cell took, else as predicted, times what predictions of this
 * campaign were wrong by so far, else as launches of it took.
 */
export class ExpectedTime {
  readonly #predictions: Durations;
  readonly #earlier: Durations;
  /** Measured over predicted. */
  readonly #scale: number;
  readonly #typicalMs: number | null;

  /**
   * @param predictions from formulas
   * @param earlier what launches of before took, of other campaigns too: measured, so no measure of the formulas
   */
  constructor(states: readonly CellState[], predictions: Durations, earlier: Durations = {}) {
    this.#predictions = predictions;
    this.#earlier = earlier;
    const measured = states.flatMap((state) => {
      const ms = measuredMs(state);
      return ms === null ? [] : [{ ms, predictedMs: predictions[state.cell.key] ?? null }];
    });
    const ratios = measured.flatMap(({ ms, predictedMs }) =>
      predictedMs === null || predictedMs <= 0 ? [] : [ms / predictedMs],
    );
    this.#scale = ratios.length === 0 ? 1 : median(ratios);
    this.#typicalMs = measured.length === 0 ? null : median(measured.map(({ ms }) => ms));
  }

  /** @returns milliseconds; null where nothing is known. */
  readonly of = (state: CellState): number | null => {
    const measured = measuredMs(state) ?? this.#earlier[state.cell.key] ?? null;
    if (measured !== null) return measured;
    const predicted = this.#predictions[state.cell.key] ?? null;
    return predicted === null ? this.#typicalMs : predicted * this.#scale;
  };
}

/** Median of the launches of a cell that ran to their end, milliseconds. */
function measuredMs({ attempts }: CellState): number | null {
  const durations = attempts.flatMap(({ outcome, durationMs }) =>
    outcome === 'ok' && durationMs !== null ? [durationMs] : [],
  );
  return durations.length === 0 ? null : median(durations);
}

/** A launch that is under way. */
export interface Underway {
  readonly key: string;
  readonly startedMs: number;
}

/**
 * Wall time until a campaign is done, milliseconds: the work that is left over as many runs at the same time as are
 * allowed, and no less than the longest launch. Waiting in a queue is not foreseen.
 * @returns null where a launch is left of which nothing is known.
 */
export function remainingMs(
  states: readonly CellState[],
  underway: readonly Underway[],
  options: LaunchRules & {
    readonly atOnce: number;
    readonly expectedMs: (state: CellState) => number | null;
  },
  nowMs: number,
): number | null {
  const startedAt = new Map(underway.map(({ key, startedMs }) => [key, startedMs]));
  let [sum, longest] = [0, 0];
  for (const state of states) {
    const started = startedAt.get(state.cell.key);
    const more = launchesLeft(state, options, started !== undefined);
    if (more === 0 && started === undefined) continue;
    const expected = options.expectedMs(state);
    if (expected === null) return null;
    const running = started === undefined ? 0 : Math.max(0, expected - (nowMs - started));
    sum += running + more * expected;
    // Launches of one cell follow one another.
    longest = Math.max(longest, running + more * expected);
  }
  return Math.max(sum / options.atOnce, longest);
}

function launchesLeft(state: CellState, rules: LaunchRules, isUnderway: boolean): number {
  const left = rules.repeat - goodLaunches(state) - (isUnderway ? 1 : 0);
  const goesOn = isUnderway || cellStanding(state, rules) === 'todo';
  return goesOn ? Math.max(0, left) : 0;
}
