import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Needs, Probe, Verdict } from '../../../src/core/search/frontier.ts';
import { out, ran, rising, search, wallAbove } from './search-machine.ts';

describe('proof', () => {
  /** By parameters: a wide size that needs less of the GPU than the deep one before it. */
  const mixed: Needs[] = [
    { gpuGiB: 10, hostGiB: 10 },
    { gpuGiB: 40, hostGiB: 20 },
    { gpuGiB: 30, hostGiB: 30 },
    { gpuGiB: 50, hostGiB: 40 },
  ];

  it('a GPU that is full proves nothing about a larger size that needs less of it', () => {
    const { launched, end } = search({ candidates: mixed, predicted: 1 }, (candidate) =>
      (mixed[candidate]?.gpuGiB ?? 0) > 35 ? out('gpu') : ran,
    );
    expect(launched).toContain(2);
    expect(end).toMatchObject({ frontier: { largestRan: 2, smallestFailed: { candidate: 3, wall: 'gpu' } } });
  });

  it('a host that is full proves what needs as much of the host, and does not ask it', () => {
    const { launched, end } = search({ candidates: mixed, predicted: 1 }, (candidate) =>
      candidate > 0 ? out('host') : ran,
    );
    expect(launched).toEqual([1, 0, 1]);
    expect(end).toMatchObject({
      frontier: { largestRan: 0, smallestFailed: { candidate: 1, wall: 'host' } },
    });
  });

  it('finds the largest that runs of needs in any order, by a GPU and a host wall', () => {
    const needs = fc.record({
      gpuGiB: fc.integer({ min: 1, max: 50 }),
      hostGiB: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(
        fc.array(needs, { minLength: 1, maxLength: 40 }),
        fc.nat(50),
        fc.nat(50),
        fc.integer({ min: -1, max: 39 }),
        (candidates, gpu, host, guess) => {
          const verdict = (candidate: number): Verdict => {
            const need = candidates[candidate] ?? { gpuGiB: 0, hostGiB: 0 };
            return need.gpuGiB > gpu ? out('gpu') : need.hostGiB > host ? out('host') : ran;
          };
          const { end } = search({ candidates, predicted: Math.min(guess, candidates.length - 1) }, verdict);
          const expected = candidates.findLastIndex((_, index) => verdict(index).kind === 'ran');
          expect(end.frontier.largestRan).toBe(expected < 0 ? null : expected);
        },
      ),
    );
  });

  it('a wall that no formula foresees is found by the order alone: equal needs prove nothing downwards', () => {
    const equal = rising(20).map(() => ({ gpuGiB: 1, hostGiB: 1 }));
    const { end } = search({ candidates: equal, predicted: 19 }, wallAbove(7));
    expect(end).toMatchObject({
      frontier: { largestRan: 7, smallestFailed: { candidate: 8 }, confirmed: true },
    });
  });

  it('comes to an end whatever a machine answers', () => {
    const needs = fc.record({
      gpuGiB: fc.integer({ min: 1, max: 4 }),
      hostGiB: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(needs, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: -1, max: 29 }),
        fc.infiniteStream(fc.constantFrom(ran, out('gpu'), out('host'), out('pinned'), out('shm'))),
        (candidates, guess, answers) => {
          const predicted = Math.min(guess, candidates.length - 1);
          const { end } = search({ candidates, predicted }, () => answers.next().value as Verdict);
          expect(end.type).toBe('done');
        },
      ),
    );
  });

  it('a crash stops the search and says why, and keeps what was found', () => {
    const { launched, end } = search({ candidates: rising(8), predicted: 3 }, (candidate) =>
      candidate === 4 ? { kind: 'unproven', reason: 'crash: an exception ended it' } : ran,
    );
    expect(launched).toEqual([3, 4]);
    expect(end).toMatchObject({
      type: 'stopped',
      reason: 'crash: an exception ended it',
      frontier: { largestRan: 3, smallestFailed: null },
    });
  });

  it('a repeat that runs refutes the failure: the search goes on above it and says so', () => {
    let asked = 0;
    const { launched, end } = search({ candidates: rising(8), predicted: 3 }, (candidate) => {
      if (candidate === 4) asked += 1;
      return candidate < 4 || (candidate === 4 && asked > 1) ? ran : out('host');
    });
    expect(launched.slice(0, 3)).toEqual([3, 4, 4]);
    expect(end).toMatchObject({
      frontier: { largestRan: 4, smallestFailed: { candidate: 5 }, confirmed: true },
    });
  });

  it('a larger one that ran refutes an earlier failure of a smaller one', () => {
    const probes: Probe[] = [
      { candidate: 2, verdict: out('host') },
      { candidate: 5, verdict: ran },
    ];
    const { end } = search({ candidates: rising(8), predicted: 5, probes }, wallAbove(6));
    expect(end).toMatchObject({ frontier: { largestRan: 6, smallestFailed: { candidate: 7 } } });
  });
});
