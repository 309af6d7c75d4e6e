import { describe, expect, it } from 'vitest';
import { disturbedReplays } from '../../../../bench/tune-replay-report.ts';
import { replay } from '../../../../bench/tune-replay.ts';
import { requestOf, summarize } from '../../../../bench/tune-report.ts';
import { h200 } from '../sample-tuning.ts';

/** A small part of bench/tune.ts: few machines, so that what it asks for is less than what bench/tune.md shows. */
describe('tune on simulated machines', () => {
  it.each(['2B', '7B'])(
    '%s: finds what is near the best, in few trials, and proposes only what fits',
    (size) => {
      const found = summarize(requestOf(size), h200, 3);
      expect(found.within).toBeGreaterThanOrEqual(0.6);
      expect(found.trials.most).toBeLessThanOrEqual(8);
      expect(found.minutes.ninth).toBeLessThanOrEqual(8);
      expect(found.unfit).toBe(0);
      expect(found.withoutChoice).toBe(0);
    },
  );
});

describe('tune on what was measured', () => {
  it('says that no offload is needed where everything fits on the GPU', () => {
    expect(replay('2B', { machine: 'first', isAsked: () => true })).toMatchObject({
      chosen: 'ddp',
      lossShare: 0,
    });
  });

  it('finds that a twentieth of the optimizer on the CPU is faster than none, in the launches that it made on a GPU', () => {
    expect(replay('2B', { machine: 'second', isAsked: () => true })).toMatchObject({
      chosen: 'prism_overlap 0.05 subgroup_elements=67108864',
      lossShare: 0,
      launches: [{ what: 'zero_2' }, {}, {}, {}],
    });
  });

  it('is told of the machine that the ablation ran on, with the steps of before and after it', () => {
    const { launches, chosen, lossShare } = replay('2B', { machine: 'sixth', isAsked: () => true });
    expect({ chosen, lossShare }).toEqual({ chosen: 'prism_overlap 0.9', lossShare: 0 });
    expect(launches.map(({ what }) => what)).toEqual(['prism_overlap 0.9', 'prism_overlap 1']);
  });

  it.each(['2B', '3B', '5B'])(
    '%s: finds the fastest though every mode is predicted wrongly by 0.7 to 1.6',
    (size) => {
      const isAsked = (mode: string): boolean => mode !== 'ddp';
      const all = disturbedReplays(size, { machine: 'first', isAsked }, 50);
      const near = all.filter(({ lossShare }) => lossShare !== null && lossShare <= 0.05);
      expect(near.length / all.length).toBeGreaterThan(0.95);
    },
  );
});
