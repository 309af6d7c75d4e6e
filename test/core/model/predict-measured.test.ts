import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { candidates, compareBars } from '../../../bench/predict-figure13.ts';
import { compareRuns, hostOffGiB } from '../../../bench/predict-measured.ts';
import { predictReport } from '../../../bench/predict-report.ts';

const runs = compareRuns();

describe('predictions beside every measured run', () => {
  it.each(
    runs.map(
      (compared) =>
        [
          `${compared.run.source}: ${compared.run.mode} ${compared.run.model} x${compared.run.chips}`,
          compared,
        ] as const,
    ),
  )('%s: memory within 10% or 2 GiB', (_name, compared) => {
    const { run, gpuGiB } = compared;
    const allowed = (measured: number | null): number => Math.max(2, 0.1 * (measured ?? 0));
    expect(Math.abs(gpuGiB - (run.gpuGiB ?? gpuGiB))).toBeLessThanOrEqual(allowed(run.gpuGiB));
    expect(hostOffGiB(compared) ?? 0).toBeLessThanOrEqual(allowed(run.hostGiB));
  });

  it('has memory of at least 25 runs to compare with, and step time of all', () => {
    expect(
      runs.filter(({ run }) => run.gpuGiB !== null && run.hostGiB !== null).length,
    ).toBeGreaterThanOrEqual(25);
    expect(runs.every(({ stepSeconds }) => stepSeconds !== null)).toBe(true);
  });

  it("ranks the modes of one size as they were measured, and says 2B's steps within 15%, ZeRO-2's apart", () => {
    const first = runs.filter(({ run }) => run.source === 'The three modes on H200 GPUs');
    for (const group of ['2B', '3B', '1B'].map((model) => first.filter(({ run }) => run.model === model))) {
      const byMeasured = [...group].sort((a, b) => a.run.stepSeconds - b.run.stepSeconds);
      const byPredicted = [...group].sort((a, b) => (a.stepSeconds ?? 0) - (b.stepSeconds ?? 0));
      expect(byPredicted.map(({ run }) => run.mode)).toEqual(byMeasured.map(({ run }) => run.mode));
    }
    for (const { run, stepSeconds } of first.filter(
      ({ run: { model, mode } }) => model === '2B' && mode !== 'zero_2',
    )) {
      expect(Math.abs((stepSeconds ?? 0) / run.stepSeconds - 1)).toBeLessThan(0.15);
    }
  });
});

describe('step times on one GPU', () => {
  const alone = runs.filter(({ run }) => run.chips === 1 && run.workload === undefined);
  const error = ({ run, stepSeconds }: (typeof runs)[number]): number =>
    (stepSeconds ?? Number.NaN) / run.stepSeconds - 1;

  it('of prism_overlap are within 12% over six machines, where it was measured as it is today, and within 5% for most', () => {
    const overlap = alone.filter(
      ({ run }) => run.mode === 'prism_overlap' && run.overlapBefore === undefined,
    );
    expect(overlap).toHaveLength(23);
    const errors = overlap.map((compared) => Math.abs(error(compared)));
    for (const each of errors) expect(each).toBeLessThan(0.12);
    expect(errors.filter((each) => each < 0.05).length).toBeGreaterThan(errors.length / 2);
  });

  it('of the campaigns on another machine of the kind are within 8.5%, the clipped ones apart', () => {
    const held = alone.filter(
      ({ run }) => run.source === 'The campaigns of bench/campaigns and a tuning, H200',
    );
    expect(held).toHaveLength(22);
    for (const compared of held.filter(({ run }) => run.gradientClipping === undefined)) {
      expect(Math.abs(error(compared))).toBeLessThan(0.085);
    }
  });

  it('of a size that no formula was fitted to (3B) are within 6% (ZeRO-2, zero_offload, prism_overlap), the others within 23%', () => {
    const held = alone.filter(({ run }) => run.source === 'overlap_3b, H200' && run.model === '3B');
    expect(held).toHaveLength(6);
    const isOff = (mode: string): boolean => ['zero_infinity', 'prism'].includes(mode);
    for (const compared of held)
      expect(Math.abs(error(compared))).toBeLessThan(isOff(compared.run.mode) ? 0.23 : 0.06);
  });

  it('of the other modes are within 18%, prism as published apart, and as often too long as too short', () => {
    const others = alone.filter(({ run }) => !['prism', 'prism_overlap'].includes(run.mode));
    expect(others.length).toBeGreaterThanOrEqual(20);
    const errors = others.map(error).sort((a, b) => a - b);
    for (const each of errors) expect(Math.abs(each)).toBeLessThan(0.18);
    expect(Math.abs(errors[Math.floor(errors.length / 2)] ?? 1)).toBeLessThan(0.05);
  });
});

describe('the published Figure 13', () => {
  it('has 18 bars to predict, and each distinct shape of model.json once as a candidate', () => {
    expect(compareBars({ software: 'paper' })).toHaveLength(18);
    const shapes = candidates().map(({ layers, hidden }) => `${layers}x${hidden}`);
    expect(new Set(shapes).size).toBe(shapes.length);
    expect(shapes).toHaveLength(33);
  });

  it.each(compareBars({ software: 'paper' }).map((bar) => [`${bar.series} on ${bar.chips}`, bar] as const))(
    '%s: within one size of the published winner',
    (_name, { sizesOff }) => {
      expect(sizesOff).toBeLessThanOrEqual(1);
    },
  );

  it("explains ZeRO-Offload's 15B by the rounding of pinned memory, and by nothing else", () => {
    const alone = (bars: ReturnType<typeof compareBars>) =>
      bars.find(({ series, chips }) => series === 'zero_offload' && chips === 1);
    expect(alone(compareBars({ software: 'paper' }))).toMatchObject({ predicted: '16B', wall: 'host' });
    const unrounded = alone(compareBars({ software: 'paper', pinnedRounding: 'none' }));
    expect(unrounded?.sizesOff).toBeGreaterThan(1);
  });
});

it('bench/predict.md is what bench/predict.ts prints', () => {
  const path = new URL('../../../bench/predict.md', import.meta.url);
  expect(readFileSync(path, 'utf8')).toBe(predictReport());
});
