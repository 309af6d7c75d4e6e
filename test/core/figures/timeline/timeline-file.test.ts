import { describe, expect, it } from 'vitest';
import { afterAdamMs, lanesOf } from '../../../../src/core/figures/timeline/lanes.ts';
import { readTimeline, type Timeline } from '../../../../src/core/figures/timeline/timeline-file.ts';
import { bareTimeline } from './sample-timeline.ts';

const problemOf = (value: unknown): string => {
  const read = readTimeline(value);
  return read.ok ? 'none' : read.problem;
};
const timelineOf = (value: unknown): Timeline => {
  const read = readTimeline(value);
  if (!read.ok) throw new Error(read.problem);
  return read.timeline;
};

describe('a timeline file', () => {
  it.each([
    [null, /no timeline/],
    [[], /no timeline/],
    [{ stepMs: 3 }, /no timeline/],
    [{ ...bareTimeline(), schemaVersion: 2 }, /schema version 2 is newer than 1/],
    [{ ...bareTimeline(), stepMs: 0 }, /no time of it/],
    [{ ...bareTimeline(), stepMs: '3' }, /no time of it/],
    [{ ...bareTimeline(), iteration: 0.5 }, /no step/],
    [{ ...bareTimeline(), copies: undefined }, /lacks .* copies/],
    [{ ...bareTimeline(), adam: [1, 2] }, /lacks .* adam/],
  ])('%j is refused with its reason', (value, problem) => {
    expect(problemOf(value)).toMatch(problem);
  });

  it('is cut to its step; what is no time is left out', () => {
    const { compute, phases } = timelineOf({
      ...bareTimeline(),
      stepMs: 10,
      compute: [[-1, 2], [9, 12], [11, 12], [5, 4], ['a', 2], [1], [Number.NaN, 3]],
      phases: [['forward', 0, 1], ['constructor', 1, 2], [7, 2, 3]],
    }); // prettier-ignore
    expect(compute).toEqual([
      { beginMs: 0, endMs: 2 },
      { beginMs: 9, endMs: 10 },
    ]);
    expect(phases.map(({ name }) => name)).toEqual(['forward', 'other', 'other']);
  });

  it('knows copies by what CUDA and ROCm call them, and waits by their name', () => {
    const { copies, waits } = timelineOf({
      ...bareTimeline(),
      copies: [
        ['Memcpy DtoH (Device -> Pageable)', 0, 1, 5, 7],
        ['Memcpy HtoD (Pinned -> Device)', 0, 1, 5, 7],
        ['Memcpy DtoD (Device -> Device)', 0, 1, 5, 7],
        ['CopyDeviceToHost', 0, 1, 5, 7],
        ['Memcpy PtoP', 0, 1, -5, 7],
      ],
      waits: [[0, 1, 3], [1, 2, 3, 'wait for gradients'], [2, 3, 3, 'cast']],
    }); // prettier-ignore
    expect(copies.map(({ direction, isPageable }) => `${direction} ${isPageable}`)).toEqual(
      ['down true', 'up false', 'within false', 'down false', 'other false'], // prettier-ignore
    );
    expect(copies.at(-1)?.bytes).toBe(0);
    expect(waits).toHaveLength(2);
  });
});

describe('what the host does besides', () => {
  it('is not known of older files, and of newer ones as far as its names are', () => {
    expect(timelineOf(bareTimeline()).notes).toBeNull();
    const notes = [
      ['gradient pass', 90, 120],
      ['queue to worker', -5, 5],
      ['of a later trainer', 1, 2],
      [7, 1, 2],
      ['parameters', 5, 4],
    ];
    expect(timelineOf({ ...bareTimeline(), notes }).notes).toEqual([
      { name: 'gradient pass', beginMs: 90, endMs: 100 },
      { name: 'queue to worker', beginMs: 0, endMs: 5 },
    ]);
    expect(timelineOf({ ...bareTimeline(), notes: 'nothing' }).notes).toBeNull();
  });
});

describe('the lanes of a step', () => {
  const step = {
    ...bareTimeline(),
    stepMs: 100,
    phases: [['forward', 0, 20], ['backward', 20, 60], ['step', 60, 100]],
    compute: [[0, 40]],
    copies: [
      ['Memcpy DtoH (Device -> Pinned)', 30, 40, 2e9, 1],
      ['Memcpy DtoH (Device -> Pageable)', 40, 60, 1e9, 1],
      ['Memcpy HtoD (Pinned -> Device)', 90, 95, 1e9, 1],
    ],
    adam: [[60, 80], [80, 80.1]],
  }; // prettier-ignore

  it('say how long each was busy, what of, and how fast copies were', () => {
    const lanes = new Map(lanesOf(timelineOf(step), 1).map((lane) => [lane.key, lane]));
    expect([...lanes.keys()]).toEqual(['host', 'gpu', 'down', 'up', 'adam', 'idle']);
    expect(lanes.get('gpu')).toMatchObject({ busyMs: 40, share: 0.4, fromMs: 0, toMs: 40 });
    expect(lanes.get('down')).toMatchObject({
      busyMs: 30,
      groups: [
        { kind: 'pinned', ms: 10, bytes: 2e9, gbps: 200 },
        { kind: 'pageable', ms: 20, bytes: 1e9, gbps: 50 },
      ],
    });
    // From 80.1 to 90, and from 95 to the end.
    expect(lanes.get('idle')?.busyMs).toBeCloseTo(14.9, 6);
  });

  it('without a GPU say nothing of idleness', () => {
    const onCpu = lanesOf(timelineOf({ ...step, compute: [], copies: [] }), 1);
    expect(onCpu.map(({ key }) => key)).toEqual(['host', 'adam']);
  });

  it('the weights return after the last Adam that counts', () => {
    expect(afterAdamMs(timelineOf(step))).toBeCloseTo(15, 6);
    expect(afterAdamMs(timelineOf({ ...step, adam: [] }))).toBeNull();
    expect(afterAdamMs(timelineOf({ ...step, copies: [] }))).toBeNull();
  });
});
