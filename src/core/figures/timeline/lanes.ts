import { groupBy } from '../../collections/group-by.ts';
import { busyMs, gaps, union } from './intervals.ts';
import { laneKeys, type Lane, type LaneGroup, type LaneKey } from './timeline-data.ts';
import type { Copy, Interval, NoteName, Timeline } from './timeline-file.ts';
import { visibleParts, type KindInterval } from './visible-parts.ts';

/** A copy among the kinds of its lane; other lanes have no bytes. */
interface LaneInterval extends KindInterval {
  readonly bytes?: number;
}

/**
 * What happened in a step, a lane for each resource that did anything, in the order of {@link laneKeys}.
 * @param cellMs what the picture can show, see {@link visibleParts}
 */
export function lanesOf(timeline: Timeline, cellMs: number): Lane[] {
  const found = intervalsOf(timeline);
  return laneKeys.flatMap((key) => {
    const intervals = found[key];
    return intervals.length === 0 ? [] : [laneOf(key, intervals, timeline.stepMs, cellMs)];
  });
}

function intervalsOf(timeline: Timeline): Readonly<Record<LaneKey, readonly LaneInterval[]>> {
  const { phases, compute, copies, adam, waits } = timeline;
  const across = (direction: Copy['direction']): LaneInterval[] =>
    copies
      .filter((copy) => copy.direction === direction)
      .map((copy) => ({ ...copy, kind: copy.isPageable ? 'pageable' : 'pinned' }));
  return {
    host: phases.map((phase) => ({ ...phase, kind: phase.name })),
    gpu: ofKind(compute, 'compute'),
    down: across('down'),
    up: across('up'),
    adam: ofKind(adam, 'adam'),
    waits: ofKind(waits, 'wait'),
    // Where no kernel was recorded (CPU ranks) a gap says nothing.
    idle: compute.length === 0 ? [] : ofKind(idleOf(timeline), 'idle'),
    // Where the GPU's driver tells of gradients' copies, those lanes have them.
    gradients: copies.length === 0 ? notesAs(timeline, { gradients: 'gradients' }) : [],
    passes: notesAs(timeline, { 'gradient pass': 'pass' }),
    queue: notesAs(timeline, { 'queue to worker': 'to the worker', 'queue from worker': 'back' }),
    workerCopy: notesAs(timeline, { 'worker copy': 'worker copy' }),
    weights: notesAs(timeline, { parameters: 'weights' }),
    hostWaits: notesAs(timeline, {
      'wait for worker': 'for the worker',
      'wait for Adam': 'for Adam',
      'wait for GPU': 'for the GPU',
      'wait for copies': 'for copies',
    }),
  };
}

/** @param kinds what notes of a name are called; several of one subgroup or thread may go on at once */
function notesAs({ notes }: Timeline, kinds: Readonly<Partial<Record<NoteName, string>>>): KindInterval[] {
  return Object.entries(kinds).flatMap(([name, kind]) =>
    ofKind(union((notes ?? []).filter((note) => note.name === name)), kind),
  );
}

/** While neither the GPU computes or copies nor Adam works: casts, copies between host memories, and waiting. */
function idleOf({ compute, copies, adam, stepMs }: Timeline): Interval[] {
  return gaps([...compute, ...copies, ...adam], stepMs);
}

function ofKind(intervals: readonly Interval[], kind: string): KindInterval[] {
  return intervals.map(({ beginMs, endMs }) => ({ beginMs, endMs, kind }));
}

function laneOf(key: LaneKey, intervals: readonly LaneInterval[], stepMs: number, cellMs: number): Lane {
  const busy = busyMs(intervals);
  return {
    key,
    busyMs: busy,
    share: busy / stepMs,
    fromMs: intervals.reduce((least, { beginMs }) => Math.min(least, beginMs), stepMs),
    toMs: intervals.reduce((most, { endMs }) => Math.max(most, endMs), 0),
    groups: [...groupBy(intervals, ({ kind }) => kind)].map(([kind, own]) => groupOf(kind, own)),
    parts: visibleParts(intervals, cellMs),
  };
}

function groupOf(kind: string, intervals: readonly LaneInterval[]): LaneGroup {
  const ms = busyMs(intervals);
  const isCopy = intervals.some(({ bytes }) => bytes !== undefined);
  const bytes = intervals.reduce((sum, each) => sum + (each.bytes ?? 0), 0);
  return { kind, ms, bytes: isCopy ? bytes : null, gbps: isCopy && ms > 0 ? bytes / ms / 1e6 : null };
}

/** An Adam shorter than this share of the longest one is the rest of a few vectors, and not what the weights wait for. */
const smallAdam = 0.01;

/**
 * How long the weights take to return: from the end of the last CPU Adam that counts to the end of the last copy to the
 * GPU. null without Adam, or where nothing is copied after it.
 */
export function afterAdamMs({ adam, copies }: Timeline): number | null {
  const longest = adam.reduce((most, { beginMs, endMs }) => Math.max(most, endMs - beginMs), 0);
  const counting = adam.filter(({ beginMs, endMs }) => endMs - beginMs > smallAdam * longest);
  const end = counting.reduce((last, { endMs }) => Math.max(last, endMs), 0);
  const back = copies.reduce(
    (last, { direction, endMs }) => (direction === 'up' ? Math.max(last, endMs) : last),
    0,
  );
  return counting.length === 0 || back <= end ? null : back - end;
}
