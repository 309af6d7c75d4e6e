import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busyMs, gaps, union } from '../../../../src/core/figures/timeline/intervals.ts';
import { visibleParts } from '../../../../src/core/figures/timeline/visible-parts.ts';

const interval = (beginMs: number, endMs: number, kind = 'a') => ({ kind, beginMs, endMs });

describe('intervals', () => {
  it('are joined where they touch or overlap, and their gaps are what is left of the step', () => {
    const mixed = [interval(5, 6), interval(0, 2), interval(1, 3), interval(3, 4)];
    expect(union(mixed)).toEqual([
      { beginMs: 0, endMs: 4 },
      { beginMs: 5, endMs: 6 },
    ]);
    expect(busyMs(mixed)).toBe(5);
    expect(gaps(mixed, 8)).toEqual([
      { beginMs: 4, endMs: 5 },
      { beginMs: 6, endMs: 8 },
    ]);
    expect(gaps([], 3)).toEqual([{ beginMs: 0, endMs: 3 }]);
  });

  it('and their gaps make up the step, whatever they are', () => {
    const times = fc.array(fc.tuple(fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }))); // prettier-ignore
    fc.assert(
      fc.property(times, (pairs) => {
        const own = pairs.map(([a, b]) => interval(Math.min(a, b), Math.max(a, b)));
        expect(busyMs(own) + busyMs(gaps(own, 100))).toBeCloseTo(100, 6);
      }),
    );
  });
});

describe('what can be seen of a lane', () => {
  it('is a whole stretch where it is full, and lighter at its ends', () => {
    expect(visibleParts([interval(1.5, 4.4)], 1)).toEqual([
      { kind: 'a', beginMs: 1, endMs: 2, level: 0.5 },
      { kind: 'a', beginMs: 2, endMs: 4, level: 1 },
      { kind: 'a', beginMs: 4, endMs: 5, level: 0.5 },
    ]);
  });

  it('is light where thousands of intervals leave as much between them', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => interval(i / 100, i / 100 + 0.004));
    expect(visibleParts(many, 1)).toEqual([{ kind: 'a', beginMs: 0, endMs: 100, level: 0.5 }]);
    const few = Array.from({ length: 100 }, (_, i) => interval(i, i + 0.05));
    expect(visibleParts(few, 1)).toEqual([{ kind: 'a', beginMs: 0, endMs: 100, level: 0.1 }]);
  });

  it('takes of each cell the kind that fills most of it, and nothing that nobody could see', () => {
    const both = [interval(0, 0.2), interval(0.2, 0.9, 'b'), interval(3.5, 3.505)];
    expect(visibleParts(both, 1)).toEqual([{ kind: 'b', beginMs: 0, endMs: 1, level: 0.75 }]);
    expect(visibleParts([interval(2, 2)], 1)).toEqual([]);
  });

  it('is never more than the cells, and covers all that lasts a cell', () => {
    const times = fc.array(fc.tuple(fc.nat(999), fc.nat(30)), { maxLength: 300 });
    fc.assert(
      fc.property(times, (pairs) => {
        const own = union(pairs.map(([at, long]) => interval(at / 10, (at + long) / 10))).map((each) => ({ ...each, kind: 'a' })); // prettier-ignore
        const parts = visibleParts(own, 1);
        expect(parts.length).toBeLessThanOrEqual(104);
        for (const [index, part] of parts.entries()) {
          expect(part.beginMs).toBeGreaterThanOrEqual(parts[index - 1]?.endMs ?? 0);
          expect([0.1, 0.25, 0.5, 0.75, 1]).toContain(part.level);
        }
        for (const { beginMs, endMs } of own.filter((each) => each.endMs - each.beginMs >= 1))
          expect(parts.some((part) => part.beginMs <= beginMs && part.endMs > beginMs && part.endMs >= Math.min(endMs, beginMs + 0.01))).toBe(true); // prettier-ignore
      }),
    );
  });
});
