import { describe, expect, it } from 'vitest';
import { lanesOf } from '../../../../src/core/figures/timeline/lanes.ts';
import { partMsOf } from '../../../../src/core/figures/timeline/part-times.ts';
import { readTimeline, type Timeline } from '../../../../src/core/figures/timeline/timeline-file.ts';
import { laneDetail } from '../../../../src/core/figures/render/timeline/lane-words.ts';
import { bareTimeline } from './sample-timeline.ts';

const plain = { returnsEarly: false, fetchesWeights: false };
const [up, down] = ['Memcpy HtoD (Pinned -> Device)', 'Memcpy DtoH (Device -> Pageable)'];
const timelineOf = (change: object): Timeline => {
  const read = readTimeline({ ...bareTimeline(), ...change });
  if (!read.ok) throw new Error(read.problem);
  return read.timeline;
};

/** SuperOffload as published: gradients go down, back up and down again; subgroups go to a worker. */
const published = {
  phases: [['forward', 0, 10], ['backward', 10, 50], ['step', 50, 100]],
  compute: [[0, 30]],
  copies: [[up, 0, 1, 65536, 7], [down, 12, 15, 1e9, 7], [up, 15, 18, 1e9, 7], [down, 30, 36, 2e9, 7], [up, 80, 90, 1e9, 7]],
  adam: [[30, 40], [55, 65]],
  waits: [[0, 20, null, 'wait for gradients'], [41, 45, null, 'wait for gradients']],
  notes: [
    ['gradients', 12, 36],
    ['queue to worker', 20, 25], ['queue to worker', 24, 52], ['queue from worker', 40, 44], ['queue from worker', 65, 66],
    ['worker copy', 25, 30], ['worker copy', 52, 55],
    ['parameters', 44, 46], ['parameters', 70, 90],
    ['gradient pass', 66, 70],
    ['wait for worker', 50, 66], ['wait for GPU', 26, 29], ['wait for GPU', 95, 100],
  ],
}; // prettier-ignore

describe('the parts of a step', () => {
  it('of SuperOffload as published: what gradients cost twice counts once, and casts count', () => {
    expect(partMsOf(timelineOf(published), plain)).toEqual({
      ...{ forward: 10, backward: 40, step: 50, adam: 20 },
      gradientCopies: 12, // 12 to 18 and 30 to 36: the batch's own copy is none of them
      gradientPasses: 4,
      queue: 33, // 20 to 52 and 65 to 66
      workerCopy: 8,
      parameterReturn: 22, // 44 to 46 and 70 to 90, the copy to the GPU within it
      ...{ adamWaits: 24, waitsForAdam: 16, waitsForCopies: 8 },
    });
  });

  it('of an optimizer that returns weights in the backward pass: every copy to the GPU is theirs', () => {
    const { gradientCopies, parameterReturn } = partMsOf(timelineOf(published), {
      ...plain,
      returnsEarly: true,
    });
    expect([gradientCopies, parameterReturn]).toEqual([9, 26]);
  });

  it('of offloaded weights: those that the backward pass fetches are no gradients', () => {
    const { gradientCopies, parameterReturn } = partMsOf(timelineOf(published), {
      ...plain,
      fetchesWeights: true,
    });
    expect([gradientCopies, parameterReturn]).toEqual([9, 22]);
  });

  it('on CPUs are what the host notes; what a mode has not is none', () => {
    const notes = [['gradients', 10, 12], ['gradients', 11, 13], ['wait for copies', 20, 21]]; // prettier-ignore
    const parts = partMsOf(timelineOf({ phases: [['forward', 0, 9]], notes }), plain);
    expect(parts).toMatchObject({ forward: 9, gradientCopies: 3, waitsForCopies: 1 });
    const { backward, queue, workerCopy, adam, parameterReturn, adamWaits, waitsForAdam } = parts;
    expect([backward, queue, workerCopy, adam, parameterReturn, adamWaits, waitsForAdam]).toEqual(
      Array(7).fill(null),
    );
  });

  it('of older files are told as far as they were recorded: not the return of weights, whose casts are not there', () => {
    const parts = partMsOf(timelineOf({ ...published, notes: undefined }), plain);
    expect(parts).toMatchObject({ gradientCopies: 12, adam: 20, adamWaits: 24 });
    expect([parts.parameterReturn, parts.queue, parts.waitsForCopies]).toEqual([null, null, null]);
  });
});

describe('the lanes of what the host does besides', () => {
  it('stand below those of the machine, with their times in words', () => {
    const lanes = lanesOf(timelineOf(published), 1);
    expect(lanes.map(({ key }) => key)).toEqual([
      ...['host', 'gpu', 'down', 'up', 'adam', 'waits', 'idle'],
      ...['passes', 'queue', 'workerCopy', 'weights', 'hostWaits'],
    ]);
    const [queue, waits] = [lanes.at(-4), lanes.at(-1)];
    expect(queue).toMatchObject({ key: 'queue', busyMs: 33 });
    expect(laneDetail(queue!)).toBe('to the worker 32, back 5 ms');
    expect(laneDetail(waits!)).toBe('for the worker 16, for the GPU 8 ms');
  });

  it('on CPUs show the copies of gradients, which no driver tells of', () => {
    const lanes = lanesOf(timelineOf({ ...published, compute: [], copies: [] }), 1);
    expect(lanes.find(({ key }) => key === 'gradients')?.busyMs).toBe(24);
  });
});
