import { busyMs } from './intervals.ts';
import type { PartMs } from './timeline-data.ts';
import type { Copy, Interval, NoteName, Phase, Timeline } from './timeline-file.ts';

/** What a mode does with the link to the GPU besides bringing gradients down and weights up in the step. */
export interface LinkUse {
  /** Weights return as soon as each is stepped, also in the backward pass: the overlap optimizer. */
  readonly returnsEarly: boolean;
  /** Weights come to the GPU in the forward and backward pass: parameters that are offloaded themselves. */
  readonly fetchesWeights: boolean;
}

/** How long the parts of a step were going on, see {@link PartMs}. */
export function partMsOf(timeline: Timeline, use: LinkUse): PartMs {
  const { phases, copies, adam, waits } = timeline;
  const noted = (...names: readonly NoteName[]): readonly Interval[] =>
    (timeline.notes ?? []).filter(({ name }) => names.includes(name));
  const down = copies.filter(({ direction }) => direction === 'down');
  const crossings = [...down, ...gradientsBack(timeline, use)];
  const phase = (name: Phase['name']): number | null => lasting(phases.filter((each) => each.name === name));
  return {
    ...{ forward: phase('forward'), backward: phase('backward'), step: phase('step') },
    gradientCopies: lasting(copies.length === 0 ? noted('gradients') : crossings),
    gradientPasses: lasting(noted('gradient pass')),
    queue: lasting(noted('queue to worker', 'queue from worker')),
    workerCopy: lasting(noted('worker copy')),
    adam: lasting(adam),
    // Without notes nobody knows the casts on the host, most of the time in some modes.
    parameterReturn:
      timeline.notes === null ? null : lasting([...weightsUp(timeline, use), ...noted('parameters')]),
    adamWaits: lasting(waits),
    waitsForAdam: lasting(noted('wait for worker', 'wait for Adam')),
    waitsForCopies: lasting(noted('wait for GPU', 'wait for copies')),
  };
}

function lasting(intervals: readonly Interval[]): number | null {
  return intervals.length === 0 ? null : busyMs(intervals);
}

/** ZeRO takes gradients that are on the host to the GPU again, to add to them or for their norm. */
function gradientsBack(timeline: Timeline, { returnsEarly, fetchesWeights }: LinkUse): Copy[] {
  return returnsEarly || fetchesWeights ? [] : upIn(timeline, 'backward');
}

function weightsUp(timeline: Timeline, { returnsEarly }: LinkUse): Copy[] {
  const all = timeline.copies.filter(({ direction }) => direction === 'up');
  // A batch's tokens go up too, before the forward pass: microseconds.
  return returnsEarly ? all : upIn(timeline, 'step');
}

/** Copies to the GPU that begin in such a phase. */
function upIn({ copies, phases }: Timeline, name: Phase['name']): Copy[] {
  const own = phases.filter((phase) => phase.name === name);
  return copies.filter(
    ({ direction, beginMs: at }) =>
      direction === 'up' && own.some(({ beginMs, endMs }) => beginMs <= at && at < endMs),
  );
}
