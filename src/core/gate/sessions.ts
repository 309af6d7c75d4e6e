import { isMeasured } from '../results/summarize.ts';
import type { RunRecord } from '../results/record.ts';
import { momentsOf } from '../stats/mean-test.ts';
import type { Deviation } from './baseline.ts';

/**
 * Launches that followed one another: what a machine does for hours (clocks, neighbours, where memory lies) is one
 * thing for all of them, and another in the next session. Two machines of one kind, or two days on one, differ by
 * more than two launches in a row do (bench/gate.md), so that launches of one session say little of the next.
 */
export type Session = readonly RunRecord[];

/** A longer pause ends a session. A rule of this project: longer than a build, shorter than a queue's night. */
const sessionGapMs = 60 * 60_000;

/** @param runs any order @returns oldest first; software that changed begins a session of its own */
export function sessionsOf(runs: readonly RunRecord[]): Session[] {
  const sessions: RunRecord[][] = [];
  let before: RunRecord | undefined;
  for (const run of oldestFirst(runs)) {
    const last = sessions.at(-1);
    const isSame =
      before !== undefined && isOneSession(before, run) && softwareOf(before) === softwareOf(run);
    if (last !== undefined && isSame) last.push(run);
    else sessions.push([run]);
    before = run;
  }
  return sessions;
}

/** What a difference may come from that is no noise: the stack, and this tool, of which the trainer is a part. */
function softwareOf({ stack, tool }: RunRecord): string {
  return JSON.stringify([stack?.hash, stack?.drift ?? [], tool?.version, tool?.commit]);
}

/** @returns a copy, by the start of the runs. */
export function oldestFirst(runs: readonly RunRecord[]): RunRecord[] {
  return [...runs].sort((a, b) => (a.startedUtc < b.startedUtc ? -1 : Number(a.startedUtc > b.startedUtc)));
}

function isOneSession(before: RunRecord, after: RunRecord): boolean {
  return followsWithin(before.endedUtc ?? before.startedUtc, after.startedUtc);
}

/** Whether what began at `startUtc` is of the session of what ended at `endUtc`. */
export function followsWithin(endUtc: string, startUtc: string): boolean {
  return Date.parse(startUtc) - Date.parse(endUtc) <= sessionGapMs;
}

/** Logarithms of a metric, a list for each session, launches without a value left out. */
export function logsOf(
  sessions: readonly Session[],
  valueOf: (record: RunRecord) => number | null,
): number[][] {
  return sessions
    .map((session) =>
      session.flatMap((record) => {
        const value = isMeasured(record) ? valueOf(record) : null;
        return value !== null && value > 0 && Number.isFinite(value) ? [Math.log(value)] : [];
      }),
    )
    .filter((logs) => logs.length > 0);
}

/** Spread within groups, all groups together; null where no group has two values. */
export function pooledWithin(groups: readonly (readonly number[])[]): Deviation | null {
  return combine(
    groups
      .filter((group) => group.length > 1)
      .map((group) => ({ deviation: momentsOf(group).deviation, degrees: group.length - 1 })),
  );
}

/** One deviation of several, each weighted by its degrees of freedom. */
export function combine(parts: readonly (Deviation | null)[]): Deviation | null {
  const known = parts.filter((part) => part !== null);
  const degrees = known.reduce((sum, part) => sum + part.degrees, 0);
  if (degrees === 0) return null;
  const squares = known.reduce((sum, part) => sum + part.degrees * part.deviation ** 2, 0);
  return { deviation: Math.sqrt(squares / degrees), degrees };
}

/** Each session by the mean of its launches, grouped by stack: another stack may be faster, and that is no noise. */
export function sessionMeans(
  sessions: readonly Session[],
  valueOf: (record: RunRecord) => number | null,
): number[][] {
  const byStack = new Map<string, number[]>();
  for (const session of sessions) {
    const [logs] = logsOf([session], valueOf);
    if (logs === undefined) continue;
    const stack = session[0]?.stack?.hash ?? '';
    byStack.set(stack, [...(byStack.get(stack) ?? []), momentsOf(logs).mean]);
  }
  return [...byStack.values()];
}
