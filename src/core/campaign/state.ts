import type { OutcomeClass } from '../logs/events.ts';
import type { Cell } from './cell.ts';
import type { CampaignEvent } from './journal.ts';
import { standingOf, type RetryPolicy } from './retry-policy.ts';

/** One launch of a cell, as the journal tells. */
export interface Attempt {
  readonly runId: string;
  /** null while nobody knows: it runs, or whoever followed it is gone. */
  readonly outcome: OutcomeClass | null;
  readonly durationMs: number | null;
  /** Of another campaign, or of none. */
  readonly adopted: boolean;
  /** Of the session that the journal ends with. */
  readonly isOfSession: boolean;
}

export interface CellState {
  readonly cell: Cell;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
}

/** How often a cell is launched at most, and why again. */
export interface LaunchRules {
  /** Good launches wanted of each cell. */
  readonly repeat: number;
  readonly retry: RetryPolicy;
  /** Launches in place of ones that were lost to {@link LaunchRules.retry}, a cell. */
  readonly maxRetries: number;
}

/** Two more launches see through a bad node; what breaks three times is broken. */
export const defaultMaxRetries = 2;

/**
 * Where a cell stands: `open` has a launch without a result, `settled` needs no other, `todo` does, `stopped` was ended
 * by a person in this session and is left for the next.
 */
export type CellStanding = 'open' | 'settled' | 'stopped' | 'todo';

/** Adds a journal up. Lines of cells that the campaign no longer has count for nothing. */
export function statesOf(cells: readonly Cell[], journal: readonly CampaignEvent[]): CellState[] {
  const states = new Map<string, CellState>(cells.map((cell) => [cell.key, { cell, attempts: [] }]));
  const session = journal.findLastIndex(({ type }) => type === 'session');
  for (const [index, event] of journal.entries()) {
    const state = 'key' in event ? states.get(event.key) : undefined;
    if (state !== undefined) states.set(state.cell.key, withEvent(state, event, index > session));
  }
  return [...states.values()];
}

/** The state of a cell after one more event of it. */
export function withEvent(state: CellState, event: CampaignEvent, isOfSession = true): CellState {
  if (!('key' in event)) return state;
  const { runId } = event;
  const others = state.attempts.filter((attempt) => attempt.runId !== runId);
  if (event.type === 'void') return { ...state, attempts: others };
  if (event.type === 'attempt') {
    // A result is never taken back.
    if (others.length < state.attempts.length) return state;
    const open = { runId, outcome: null, durationMs: null, adopted: false, isOfSession };
    return { ...state, attempts: [...others, open] };
  }
  const { outcome, durationMs } = event;
  const ended = { runId, outcome, durationMs, adopted: event.type === 'adopted', isOfSession };
  return { ...state, attempts: [...others, ended] };
}

/** @returns cells with what stands in their place behind each. */
export function withVariants(cells: readonly Cell[], variants: readonly Cell[]): Cell[] {
  return cells.flatMap((cell) => [cell, ...variants.filter(({ variant }) => variant?.of === cell.key)]);
}

/**
 * The variants of a campaign, after those of some of its cells were derived anew from their results: those of the
 * others stay, where their cells do.
 * @param asked the cells whose variants `derived` holds, all of them
 */
export function keptVariants(
  { cells, variants }: { readonly cells: readonly Cell[]; readonly variants: readonly Cell[] },
  asked: readonly Cell[],
  derived: readonly Cell[],
): Cell[] {
  const keys = new Set(asked.map(({ key }) => key));
  const others = new Set(cells.map(({ key }) => key).filter((key) => !keys.has(key)));
  return [...variants.filter(({ variant }) => variant !== undefined && others.has(variant.of)), ...derived];
}

/** @returns launches of the cell that ended `ok`. */
export function goodLaunches({ attempts }: CellState): number {
  return attempts.filter(({ outcome }) => outcome === 'ok').length;
}

/** @returns launches that ended in a way for which the rules grant another one. */
export function lostLaunches({ attempts }: CellState, { retry }: Pick<LaunchRules, 'retry'>): number {
  return attempts.filter(({ outcome }) => outcome !== null && retry.has(outcome)).length;
}

/**
 * Says where a cell stands. One launch that ended otherwise than `ok` settles it, however many were wanted: what does
 * not fit once does not fit the next time, and what is broken stays so.
 */
export function cellStanding(state: CellState, rules: LaunchRules): CellStanding {
  const { attempts } = state;
  if (attempts.some(({ outcome }) => outcome === null)) return 'open';
  if (goodLaunches(state) >= rules.repeat) return 'settled';
  const final = attempts.some(
    ({ outcome }) => outcome !== null && outcome !== 'ok' && isFinal(outcome, rules.retry),
  );
  if (final || lostLaunches(state, rules) > rules.maxRetries) return 'settled';
  const last = attempts.at(-1);
  const isStopped = last !== undefined && last.outcome !== null && standingOf(last.outcome) === 'stopped';
  return isStopped && last.isOfSession ? 'stopped' : 'todo';
}

function isFinal(outcome: OutcomeClass, retry: RetryPolicy): boolean {
  return standingOf(outcome) !== 'stopped' && !retry.has(outcome);
}

/** The launch that speaks for a settled cell: a good one, else the last one that a person did not stop. */
export function speakingAttempt({ attempts }: CellState): Attempt | null {
  const ended = attempts.filter(({ outcome }) => outcome !== null);
  return (
    ended.findLast(({ outcome }) => outcome === 'ok') ??
    ended.findLast(({ outcome }) => outcome !== null && standingOf(outcome) !== 'stopped') ??
    ended.at(-1) ??
    null
  );
}

/** Launches that count, of those that a campaign will have made of its cells. */
export interface LaunchCounts {
  readonly done: number;
  readonly total: number;
}

/**
 * Counts launches. One in place of another that was lost is the same launch; a cell that is settled before it had all
 * that were wanted of it (it does not fit, it is broken) has no other to come.
 */
export function launchCounts(states: readonly CellState[], rules: LaunchRules): LaunchCounts {
  const counts = states.map((state) => {
    const good = Math.min(rules.repeat, goodLaunches(state));
    if (cellStanding(state, rules) !== 'settled') return { done: good, total: rules.repeat };
    const done = Math.min(rules.repeat, good + (good < rules.repeat ? 1 : 0));
    return { done, total: done };
  });
  return {
    done: counts.reduce((sum, { done }) => sum + done, 0),
    total: counts.reduce((sum, { total }) => sum + total, 0),
  };
}
