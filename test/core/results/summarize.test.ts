import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { modeRatios, summarizeCases } from '../../../src/core/results/summarize.ts';
import { samplePlan } from '../sample-plan.ts';
import { goodLog, iterationLines, recordOf } from '../sample-record.ts';

/** A launch whose steps wander a little around `ms`. */
function launch(ms: number, change: Partial<Case> = {}): RunRecord {
  const steps = Array.from({ length: 30 }, (_, index) => ms * (1 + 0.002 * ((index * 7) % 5)));
  return recordOf(goodLog(steps), { plan: samplePlan(change) });
}
const crashed = (change: Partial<Case> = {}): RunRecord =>
  recordOf(iterationLines([1, 2, 3]), { plan: samplePlan(change) });

describe('summarizeCases', () => {
  it('gives one launch the interval of its steps, and says so', () => {
    const [summary] = summarizeCases([launch(100)]);
    expect(summary?.interval?.basis).toBe('within one run');
    expect(summary?.stepMs).toBeCloseTo(100.4, 0);
  });

  it('gives repeated launches the interval between them, which holds what differs from launch to launch', () => {
    const [summary] = summarizeCases([launch(100), launch(120), launch(110)]);
    expect(summary?.launches).toHaveLength(3);
    expect(summary?.interval?.basis).toBe('between launches');
    expect(summary?.interval?.lowMs).toBeLessThan(100);
    expect(summary?.interval?.highMs).toBeGreaterThan(120);
    expect(summary?.record.statistics?.medianMs).toBeCloseTo(110.4, 0);
  });

  it('counts only launches that ended well, and shows a failure where all failed', () => {
    const [mixed] = summarizeCases([crashed(), launch(100)]);
    expect(mixed?.record.outcome.class).toBe('ok');
    expect(mixed?.interval?.basis).toBe('within one run');
    const [failed] = summarizeCases([crashed(), crashed()]);
    expect(failed).toMatchObject({ stepMs: null, interval: null });
    expect(failed?.record.outcome.class).not.toBe('ok');
  });

  it('gives every number of a row for the same time, which no single launch may have had', () => {
    const [summary] = summarizeCases([launch(100), launch(200)]);
    const { globalBatch, sequenceLength } = summary!.record.case!;
    expect(summary!.stepMs!).toBeCloseTo(Math.sqrt(2) * 100.4, 0);
    expect(summary!.throughput.tokensPerSecond!).toBeCloseTo(
      (1000 * globalBatch * sequenceLength) / summary!.stepMs!,
      6,
    );
  });

  it('keeps the order in which cases first ran', () => {
    const rows = summarizeCases([launch(1, { mode: 'zero_3' }), launch(1), launch(1, { mode: 'zero_3' })]);
    expect(rows.map(({ record }) => record.case?.mode)).toEqual(['zero_3', 'zero_offload']);
  });
});

describe('modeRatios', () => {
  it('takes zero_offload as the baseline wherever it ran, and is above 1 for what is faster', () => {
    const ratios = modeRatios(summarizeCases([launch(50, { mode: 'zero_3' }), launch(100)]));
    expect(ratios).toHaveLength(1);
    expect(ratios[0]?.ratio.ratio).toBeCloseTo(2, 2);
    expect(ratios[0]?.ratio.basis).toBe('within one run');
    expect(ratios[0]?.unfair).toEqual([]);
  });

  it('leaves a round out in which a launch failed, and shifts no other', () => {
    const ms = [100, 200, 400];
    const records = ms.flatMap((each, round) => [
      round === 0 ? crashed() : launch(each),
      launch(each, { mode: 'zero_3' }),
    ]);
    const [only] = modeRatios(summarizeCases(records));
    expect(only?.ratio).toMatchObject({ pairs: 2 });
    expect(only?.ratio.ratio).toBeCloseTo(1, 6);
  });

  it('is confident only where both intervals are', () => {
    const short = recordOf(goodLog([100, 101, 100]), { plan: samplePlan({ mode: 'zero_3', steps: 3 }) });
    expect(modeRatios(summarizeCases([launch(100), short]))[0]?.confident).toBe(false);
    expect(modeRatios(summarizeCases([launch(100), launch(90, { mode: 'zero_3' })]))[0]?.confident).toBe(
      true,
    );
  });

  it('pairs launches that ran in turns, so that what drifts cancels', () => {
    const records = [100, 130, 160].flatMap((ms) => [launch(ms), launch(ms / 2, { mode: 'zero_infinity' })]);
    const [only] = modeRatios(summarizeCases(records));
    expect(only?.ratio).toMatchObject({ basis: 'between launches', pairs: 3 });
    expect(only?.ratio.low).toBeGreaterThan(1.99);
    expect(only?.ratio.high).toBeLessThan(2.01);
  });

  it('compares only within one size and number of chips, and marks what is unfair', () => {
    const other = launch(10, { mode: 'zero_3', chips: 2 });
    expect(modeRatios(summarizeCases([launch(100), other]))).toEqual([]);
    const [marked] = modeRatios(summarizeCases([launch(100), launch(10, { mode: 'zero_3', dtype: 'fp16' })]));
    expect(marked?.unfair).toEqual(['dtype fp16 against bf16']);
  });

  it('has none for a baseline that failed, or that does not exist', () => {
    expect(modeRatios(summarizeCases([crashed(), launch(10, { mode: 'prism', ratio: 0.9 })]))).toEqual([]);
    expect(modeRatios(summarizeCases([launch(10, { mode: 'prism', ratio: 0.9 })]))).toEqual([]);
  });
});
