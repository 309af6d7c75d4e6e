import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ran, rising, search, wallAbove } from './search-machine.ts';

/** A list, where its wall is (-1: nothing runs), and what was predicted. */
const machines = fc.integer({ min: 1, max: 200 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    edge: fc.integer({ min: -1, max: count - 1 }),
    predicted: fc.integer({ min: -1, max: count - 1 }),
    startsAbove: fc.boolean(),
    wall: fc.constantFrom('gpu' as const, 'host' as const),
  }),
);

describe('the search for the largest that runs', () => {
  it('finds every wall, in at most ceil(log2 n) + 2 launches, whatever was predicted', () => {
    fc.assert(
      fc.property(machines, ({ count, edge, predicted, startsAbove, wall }) => {
        const { launched, end } = search(
          { candidates: rising(count), predicted, startsAbove },
          wallAbove(edge, wall),
        );
        const frontier = {
          largestRan: edge < 0 ? null : edge,
          smallestFailed: edge === count - 1 ? null : { candidate: edge + 1, wall },
          confirmed: edge === count - 1 ? null : true,
        };
        expect(end).toEqual({ type: 'done', frontier });
        expect(launched.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 2);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes 3 launches where the prediction is right, in every list', () => {
    for (let count = 1; count <= 70; count += 1) {
      for (let edge = -1; edge < count; edge += 1) {
        for (const startsAbove of [false, true]) {
          const { launched } = search(
            { candidates: rising(count), predicted: edge, startsAbove },
            wallAbove(edge),
          );
          expect(launched.length, `${count} candidates, wall above ${edge}`).toBeLessThanOrEqual(3);
        }
      }
    }
  });

  it('takes 3 launches for a wall on either side of the first one where the list leaves room for it', () => {
    // 36 sizes from 1B to 200B-artifact, the prediction anywhere but at their ends.
    for (let predicted = 4; predicted <= 30; predicted += 1) {
      const one = (edge: number, startsAbove: boolean): number =>
        search({ candidates: rising(36), predicted, startsAbove }, wallAbove(edge)).launched.length;
      expect([one(predicted - 1, false), one(predicted, false)]).toEqual([3, 3]);
      expect([one(predicted, true), one(predicted + 1, true)]).toEqual([3, 3]);
    }
  });

  it('takes few more for a prediction that is one size off to the other side', () => {
    for (let predicted = 10; predicted <= 25; predicted += 1) {
      const start = { candidates: rising(36), predicted };
      expect(search(start, wallAbove(predicted + 1)).launched.length).toBeLessThanOrEqual(6);
      expect(
        search({ ...start, startsAbove: true }, wallAbove(predicted - 1)).launched.length,
      ).toBeLessThanOrEqual(6);
    }
  });

  it('starts at the predicted edge, goes away from it in doubling steps, then bisects', () => {
    const { launched } = search({ candidates: rising(100), predicted: 50 }, wallAbove(63));
    expect(launched[0]).toBe(50);
    expect(launched[1]).toBe(51);
    expect(new Set(launched).size).toBe(launched.length - 1);
    expect(launched.at(-1)).toBe(64);
  });

  it('launches no repeat where all ran: there is no wall to confirm', () => {
    const { launched } = search({ candidates: rising(8), predicted: 7 }, wallAbove(7));
    expect(launched).toEqual([7]);
  });

  it('launches nothing twice but the edge', () => {
    fc.assert(
      fc.property(machines, ({ count, edge, predicted, startsAbove }) => {
        const { launched } = search({ candidates: rising(count), predicted, startsAbove }, wallAbove(edge));
        const repeated = launched.filter((candidate, index) => launched.indexOf(candidate) !== index);
        expect(repeated).toEqual(edge === count - 1 ? [] : [edge + 1]);
      }),
    );
  });

  it('goes on from launches of an earlier session to the same end, and counts them', () => {
    fc.assert(
      fc.property(machines, fc.nat(8), ({ count, edge, predicted, startsAbove }, kept) => {
        const start = { candidates: rising(count), predicted, startsAbove };
        const whole = search(start, wallAbove(edge));
        const probes = whole.launched
          .slice(0, kept)
          .map((candidate) => ({ candidate, verdict: wallAbove(edge)(candidate) }));
        const rest = search({ ...start, probes }, wallAbove(edge));
        expect(rest.launched).toEqual(whole.launched.slice(kept));
        expect(rest.end).toEqual(whole.end);
      }),
    );
  });

  it('has nothing to do without candidates', () => {
    const { end } = search({ candidates: [], predicted: -1 }, () => ran);
    expect(end).toMatchObject({ type: 'done', frontier: { largestRan: null, smallestFailed: null } });
  });
});
