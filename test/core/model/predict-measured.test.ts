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

  it('of what searches of tune kept on the GPU, host memory of the start within 2 GiB', () => {
    const searched = runs.filter(
      ({ run: { source, mode, ratio } }) =>
        source.startsWith('tune at') && (mode === 'zero_3' || (ratio ?? 1) <= 0.05),
    );
    expect(searched).toHaveLength(10);
    for (const { run, hostGiB } of searched) {
      expect(Math.abs(hostGiB - (run.hostGiB ?? Number.NaN))).toBeLessThan(2);
    }
  });

  it('has memory of at least 25 runs to compare with, and step time of all but 8, whose settings the model does not know', () => {
    expect(
      runs.filter(({ run }) => run.gpuGiB !== null && run.hostGiB !== null).length,
    ).toBeGreaterThanOrEqual(25);
    const unknown = runs.filter(({ stepSeconds }) => stepSeconds === null).map(({ run }) => run);
    expect(unknown).toHaveLength(8);
    const keys = ['bind_threads', 'cpuadam_cores_perc'];
    for (const { mode, gradientClipping = 0, overrides = {} } of unknown) {
      const isClipped = mode === 'prism_overlap' && gradientClipping > 0;
      expect(isClipped || Object.keys(overrides).some((key) => keys.includes(key.split('.').at(-1)!))).toBe(
        true,
      );
    }
  });

  it("ranks the modes of one size as they were measured, and says 2B's steps within 17%, ZeRO-2's apart", () => {
    const first = runs.filter(({ run }) => run.source === 'The three modes on H200 GPUs');
    for (const group of ['2B', '3B', '1B'].map((model) => first.filter(({ run }) => run.model === model))) {
      const byMeasured = [...group].sort((a, b) => a.run.stepSeconds - b.run.stepSeconds);
      const byPredicted = [...group].sort((a, b) => (a.stepSeconds ?? 0) - (b.stepSeconds ?? 0));
      expect(byPredicted.map(({ run }) => run.mode)).toEqual(byMeasured.map(({ run }) => run.mode));
    }
    for (const { run, stepSeconds } of first.filter(
      ({ run: { model, mode } }) => model === '2B' && mode !== 'zero_2',
    )) {
      expect(Math.abs((stepSeconds ?? 0) / run.stepSeconds - 1)).toBeLessThan(0.17);
    }
  });
});

describe('step times on one GPU', () => {
  const alone = runs.filter(
    ({ run, stepSeconds }) => run.chips === 1 && run.workload === undefined && stepSeconds !== null,
  );
  const error = ({ run, stepSeconds }: (typeof runs)[number]): number =>
    (stepSeconds ?? Number.NaN) / run.stepSeconds - 1;

  const ablation = alone.filter(({ run }) => run.source === 'figure ablation, H200');

  it('of prism_overlap are within 12% over eight machines, where it was measured as it is today, and within 5% for most', () => {
    const overlap = alone.filter(
      ({ run }) =>
        run.mode === 'prism_overlap' &&
        run.overlapBefore === undefined &&
        !run.source.startsWith('figure ablation'),
    );
    expect(overlap).toHaveLength(38);
    const errors = overlap.map((compared) => Math.abs(error(compared)));
    for (const each of errors) expect(each).toBeLessThan(0.12);
    expect(errors.filter((each) => each < 0.05).length).toBeGreaterThan(errors.length / 2);
  });

  it('of the campaigns on another machine of the kind are within 8.5% (ZeRO-3 offload 14%), the clipped ones apart', () => {
    const held = alone.filter(
      ({ run }) => run.source === 'The campaigns of bench/campaigns and a tuning, H200',
    );
    expect(held).toHaveLength(22);
    for (const compared of held.filter(({ run }) => run.gradientClipping === undefined)) {
      expect(Math.abs(error(compared))).toBeLessThan(compared.run.mode === 'zero_infinity' ? 0.14 : 0.085);
    }
  });

  it('of a setting against its mode without it, one machine, are within 14%, for most within 7%', () => {
    const off = ablation.map(({ run, stepSeconds }) => {
      const base = ablation.find((each) => each.run.mode === run.mode)!;
      const predicted = stepSeconds! / base.stepSeconds!;
      return Math.abs(predicted / (run.stepSeconds / base.run.stepSeconds) - 1);
    });
    expect(off).toHaveLength(20);
    for (const each of off) expect(each).toBeLessThan(0.14);
    expect(off.filter((each) => each < 0.07).length).toBeGreaterThan(off.length / 2);
  });

  it('of 5B with copies on the computing stream and weights at the end are within 5%, with or without speculation', () => {
    const rows = alone.filter(
      ({ run }) => run.source === 'figure ablation at 5B, H200' && run.mode === 'prism_overlap',
    );
    const [casts, ...others] = rows.map((compared) => Math.abs(error(compared)));
    expect(others).toHaveLength(2);
    for (const each of others) expect(each).toBeLessThan(0.05);
    expect(casts).toBeLessThan(0.18);
  });

  it('of every row of the ablation at 5B on a machine that nothing was fitted to are within 6%', () => {
    const rows = alone.filter(
      ({ run }) => run.source === 'figure ablation at 5B, H200, whole' && run.mode === 'prism_overlap',
    );
    expect(rows).toHaveLength(5);
    for (const compared of rows) expect(Math.abs(error(compared))).toBeLessThan(0.06);
  });

  it('of prism as published are within 17% at ratio 0.9, for most within 6%; clipped within 13%, at other ratios and at 1B within 23%', () => {
    const prism = alone.filter(({ run }) => run.mode === 'prism');
    expect(prism).toHaveLength(21);
    const usual = prism.filter(
      ({ run }) => run.model !== '1B' && run.ratio === undefined && run.gradientClipping === undefined,
    );
    const errors = usual.map((compared) => Math.abs(error(compared)));
    expect(errors).toHaveLength(12);
    for (const each of errors) expect(each).toBeLessThan(0.17);
    expect(errors.filter((each) => each < 0.06).length).toBeGreaterThan(errors.length / 2);
    for (const compared of prism) expect(Math.abs(error(compared))).toBeLessThan(0.23);
    const clipped = prism.filter(({ run }) => run.gradientClipping !== undefined);
    expect(clipped).toHaveLength(5);
    for (const compared of clipped) expect(Math.abs(error(compared))).toBeLessThan(0.13);
  });

  it('of Megatron are within 10%, with fp16 within 25%', () => {
    const megatron = runs.filter(({ run }) => run.workload === 'megatron');
    expect(megatron).toHaveLength(5);
    for (const compared of megatron)
      expect(Math.abs(error(compared))).toBeLessThan(compared.run.dtype === 'fp16' ? 0.25 : 0.1);
  });

  it('of a size that no formula was fitted to (3B) are within 9% in every mode', () => {
    const held = alone.filter(({ run }) => run.source === 'overlap_3b, H200' && run.model === '3B');
    expect(held).toHaveLength(6);
    for (const compared of held) expect(Math.abs(error(compared))).toBeLessThan(0.09);
  });

  it('of the other modes are within 19%, prism as published and clipped ones apart, and as often too long as too short', () => {
    const others = alone.filter(
      ({ run }) => !['prism', 'prism_overlap'].includes(run.mode) && run.gradientClipping === undefined,
    );
    expect(others.length).toBeGreaterThanOrEqual(20);
    const errors = others.map(error).sort((a, b) => a - b);
    for (const each of errors) expect(Math.abs(each)).toBeLessThan(0.19);
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
