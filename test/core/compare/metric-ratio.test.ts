import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricRatio } from '../../../src/core/compare/metric-ratio.ts';
import { unitsOf, type CompareUnit } from '../../../src/core/compare/unit.ts';
import type { MetricName } from '../../../src/core/gate/metric.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sampleRecord, type SampleRun } from '../../workflows/records/sample-home.ts';

/** Launches of one case, in the minutes that are given. */
function unit(launches: readonly (SampleRun & { readonly minute: number })[]): CompareUnit {
  const [only] = unitsOf(launches.map(({ minute, ...run }) => sampleRecord(run, minute)));
  if (only === undefined) throw new Error('no launch');
  return only;
}

const steady = (ms: number, steps = 30): number[] =>
  Array.from({ length: steps }, (_, index) => ms + (index % 3) * ms * 0.001);
const at = (minute: number, ms: number): SampleRun & { minute: number } => ({ minute, stepMs: steady(ms) });
const using = (minute: number, gpuAllocatedGiB: number | null, hostGiB: number | null) => ({
  minute,
  record: { memory: { gpuAllocatedGiB, gpuReservedGiB: null, hostGiB, hostSource: null, machineGiB: null } },
});

describe('what a ratio is from', () => {
  it('launches in turns are held against their neighbours: drift cancels', () => {
    // The machine gets slower by a tenth a turn; B is 5% faster each time.
    const a = unit([at(0, 1000), at(3, 1100), at(4, 1210)]);
    const b = unit([at(1, 950), at(2, 1045), at(5, 1149.5)]);
    const ratio = metricRatio('stepMs', a, b);
    expect(ratio).toMatchObject({ basis: 'pairs', launches: [3, 3], verdict: 'better', confident: true });
    expect(ratio?.ratio).toBeCloseTo(0.95, 4);
    expect((ratio?.high ?? 2) - (ratio?.low ?? 0)).toBeLessThan(1e-3);
  });

  it('a turn of which one failed is left out, not shifted', () => {
    const a = unit([at(0, 1000), { minute: 2, log: ['Killed'] }, at(4, 1200)]);
    const b = unit([at(1, 900), at(3, 5000), at(5, 1080)]);
    const ratio = metricRatio('stepMs', a, b);
    expect(ratio).toMatchObject({ basis: 'pairs', launches: [2, 2] });
    expect(ratio?.ratio).toBeCloseTo(0.9, 4);
  });

  it('launches that were not in turns are two samples', () => {
    const a = unit([at(0, 1000), at(1, 1010), at(2, 990)]);
    const b = unit([at(60, 1100), at(61, 1105)]);
    const ratio = metricRatio('stepMs', a, b);
    expect(ratio).toMatchObject({ basis: 'launches', launches: [3, 2], verdict: 'worse' });
    expect(ratio?.low).toBeGreaterThan(1);
  });

  it('one run of each: its steps, and it says so', () => {
    const ratio = metricRatio('stepMs', unit([at(0, 1000)]), unit([at(1, 900)]));
    expect(ratio).toMatchObject({ basis: 'steps', launches: [1, 1], verdict: 'better', confident: true });
    const few = metricRatio(
      'stepMs',
      unit([{ minute: 0, stepMs: [9000, 1000, 1100, 1050] }]),
      unit([at(1, 900)]),
    );
    expect(few?.confident).toBe(false);
  });

  it('a rate is work over time: twice the batch in the same time is twice the tokens', () => {
    const [a, b] = [unit([at(0, 1000)]), unit([{ ...at(1, 1000), case: { globalBatch: 16 } }])];
    expect(metricRatio('tokensPerSecond', a, b)).toMatchObject({
      ratio: 2,
      basis: 'steps',
      verdict: 'better',
    });
    expect(metricRatio('stepMs', a, b)).toMatchObject({ ratio: 1, verdict: 'unclear' });
    expect(metricRatio('modelTflopsPerGpu', a, b)?.low).toBeGreaterThan(1.99);
  });

  it("the allocator's bytes are the same in every launch", () => {
    const [a, b] = [unit([using(0, 30, 60)]), unit([using(1, 33, 66)])];
    expect(metricRatio('peakGpuGiB', a, b)).toMatchObject({ a: 30, b: 33, basis: 'count', verdict: 'worse' });
    expect(metricRatio('peakGpuGiB', a, a)).toMatchObject({ ratio: 1, verdict: 'unclear' });
    expect(metricRatio('peakHostGiB', a, b)).toMatchObject({
      basis: 'values',
      low: null,
      verdict: 'unknown',
    });
  });

  it.each<[MetricName, number | null, number | null, object | null]>([
    ['peakGpuGiB', null, null, null],
    ['peakGpuGiB', 30, null, { a: 30, b: null, ratio: null, launches: [1, 0] }],
    ['peakGpuGiB', 0, 30, { a: null, b: 30, ratio: null }],
    ['peakHostGiB', Number.POSITIVE_INFINITY, 30, { a: null, ratio: null }],
  ])('%s of %s and %s: no ratio', (metric, left, right, expected) => {
    const found = metricRatio(metric, unit([using(0, left, left)]), unit([using(1, right, right)]));
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });

  it('a case that failed on one side has a value on the other alone', () => {
    const failed = unit([{ minute: 0, log: ['torch.OutOfMemoryError: CUDA out of memory.'] }]);
    expect(metricRatio('stepMs', failed, unit([at(1, 900)]))).toMatchObject({
      a: null,
      ratio: null,
      verdict: 'unknown',
    });
  });
});

describe('whatever the step times are', () => {
  const launches = fc.array(fc.double({ min: 1, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 5 });

  it('the interval holds the ratio, and B over A is one over A over B', () => {
    fc.assert(
      fc.property(launches, launches, fc.boolean(), (left, right, inTurns) => {
        const gap = inTurns ? 2 : 1;
        const a = unit(left.map((ms, index) => at(gap * index, ms)));
        const b = unit(right.map((ms, index) => at(inTurns ? 2 * index + 1 : 100 + index, ms)));
        for (const metric of ['stepMs', 'tokensPerSecond'] as const) {
          const [there, back] = [metricRatio(metric, a, b), metricRatio(metric, b, a)];
          const { ratio, low, high } = there as { ratio: number; low: number | null; high: number | null };
          expect(ratio * (back?.ratio ?? 0)).toBeCloseTo(1, 9);
          if (low === null || high === null) continue;
          expect(low).toBeLessThanOrEqual(ratio * (1 + 1e-9));
          expect(high).toBeGreaterThanOrEqual(ratio * (1 - 1e-9));
          expect(low * (back?.high ?? 0)).toBeCloseTo(1, 6);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('a time and a rate never both get better', () => {
    const records: [RunRecord, RunRecord] = [
      sampleRecord({ stepMs: steady(1000) }),
      sampleRecord({ stepMs: steady(800) }, 1),
    ];
    const [a, b] = records.map((record) => unitsOf([record])[0]) as [CompareUnit, CompareUnit];
    expect(metricRatio('stepMs', a, b)?.ratio).toBeLessThan(1);
    expect(metricRatio('tokensPerSecond', a, b)?.ratio).toBeGreaterThan(1);
    expect([metricRatio('stepMs', a, b)?.verdict, metricRatio('mfu', a, b)?.verdict]).toEqual([
      'better',
      'better',
    ]);
  });
});
