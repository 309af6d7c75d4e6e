import { expect, it } from 'vitest';
import { requeuedWarnings } from '../../../src/core/results/requeued.ts';

const utc = '2026-01-02T03:04:05.678Z';

it('says how often a job was put back, and nothing of one that was not', () => {
  const times = (...restarts: number[]) =>
    requeuedWarnings(restarts.map((each) => ({ type: 'requeued', utc, restarts: each })));
  expect(times()).toEqual([]);
  expect(times(1)[0]).toContain('into the queue once (requeue)');
  expect(times(1, 3)[0]).toContain('into the queue 3 times');
});
