import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates } from '../../../bench/predict-figure13.ts';
import { overlapShares, overlapSubgroups } from '../../../src/core/model/overlap-subgroups.ts';
import { parameterCount } from '../../../src/core/model/shape.ts';

const overlay = join(
  import.meta.dirname,
  '../../../patches/deepspeed/overlay/deepspeed/runtime/superoffload/overlap',
);

/** The overlay's own rules, on parameters in the order of the built-in model: matrices, then vectors. */
const program = `
import json, sys
from collections import Counter
sys.path.insert(0, sys.argv[1])
import subgroups as rules

def share(elements, chips):
    return -(-elements // chips)

def of(case):
    h, chips = case["hidden"], case["chips"]
    layer = [3 * h * h, h * h, 4 * h * h, 4 * h * h]
    matrices = [case["rows"] * h, case["sequenceLength"] * h] + layer * case["layers"]
    vectors = [h, h, 3 * h, h, h, h, 4 * h, h] * case["layers"] + [h, h]
    counts, turning = [], 0
    for group in (matrices, vectors):
        sizes = [share(size, chips) for size in group]
        repeated = [size for size, times in Counter(sizes).items() if times > 1]
        limit = max(case["subgroupElements"], *repeated, 0)
        turning = max(turning, limit)
        counts += [sum(sizes[i] for i in run) for run in rules.cut(sizes, limit)]
    kept = rules.kept(counts, case["ratio"])
    host = {i: count for i, count in enumerate(counts) if i not in kept}
    largest = min(turning, max(host.values(), default=0))
    rotating = rules.rotating(host, largest)
    spare = int(case["speculation"] * sum(host[i] for i in rotating) / largest) if largest else 0
    written = max((host[i] for i in rotating), default=0)  # rooms are as large as "largest", but no more is ever in them
    rooms = sum(written if spare and i in rotating else count for i, count in host.items())
    return {"counts": counts, "kept": len(kept), "rooms": rooms, "spare": spare * written}

print(json.dumps([of(case) for case in json.load(sys.stdin)]))
`;

interface Asked {
  readonly layers: number;
  readonly hidden: number;
  readonly rows: number;
  readonly sequenceLength: number;
  readonly chips: number;
  readonly subgroupElements: number;
  readonly ratio: number;
  readonly speculation: number;
}

function pythonOf(cases: readonly Asked[]): unknown {
  const input = JSON.stringify(cases);
  return JSON.parse(execFileSync('python3', ['-c', program, overlay], { input, encoding: 'utf8' }));
}

function ourOf({ layers, hidden, rows, sequenceLength, chips, subgroupElements, ...how }: Asked): unknown {
  const model = { name: 'x', layers, hidden, heads: 1, paddedVocabulary: rows };
  const cut = overlapSubgroups(model, { sequenceLength, chips, subgroupElements });
  const { onGpu, roomElements, spareElements } = overlapShares(cut, how);
  return { counts: cut.sizes, kept: onGpu.length, rooms: roomElements, spare: spareElements };
}

/** Ratios at the very edges of subgroups too. */
const asked = fc.record({
  layers: fc.integer({ min: 1, max: 60 }),
  hidden: fc.integer({ min: 1, max: 128 }).map((step) => 64 * step),
  rows: fc.constantFrom(256, 8192, 50432, 151_936),
  sequenceLength: fc.constantFrom(128, 1024, 131_072),
  chips: fc.constantFrom(1, 2, 8),
  subgroupElements: fc.constantFrom(2 ** 20, 12_600_000, 2 ** 25, 2 ** 28),
  ratio: fc.oneof(
    fc.constantFrom(0, 0.1, 0.3, 0.5, 0.55, 0.9, 1),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ),
  speculation: fc.constantFrom(0, 0.1, 0.5, 1),
});

describe('overlapSubgroups, overlapShares', () => {
  it("cut, keep and double what the overlay's own rules do", () => {
    const named = candidates().map(({ layers, hidden, paddedVocabulary }) => ({
      ...{ layers, hidden, rows: paddedVocabulary, sequenceLength: 1024, chips: 1 },
      ...{ subgroupElements: 2 ** 25, ratio: 0.55, speculation: 0.5 },
    }));
    const cases = [...named, ...fc.sample(asked, 300)];
    expect(cases.map(ourOf)).toEqual(pythonOf(cases));
  });

  it('lose no parameter', () => {
    fc.assert(
      fc.property(asked, ({ layers, hidden, rows, sequenceLength, subgroupElements, ratio, speculation }) => {
        const model = { name: 'x', layers, hidden, heads: 1, paddedVocabulary: rows };
        const cut = overlapSubgroups(model, { sequenceLength, chips: 1, subgroupElements });
        const shares = overlapShares(cut, { ratio, speculation });
        expect(shares.cpuElements + shares.gpuElements).toBe(parameterCount(model, sequenceLength));
        expect(shares.roomElements).toBeGreaterThanOrEqual(shares.cpuElements);
        expect(shares.spareElements).toBeLessThanOrEqual(speculation * shares.cpuElements);
      }),
    );
  });
});
