import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { capture } from '../../../src/adapters/exec.ts';
import { requestOf } from '../../../src/cli/flags/case.ts';
import { predictText } from '../../../src/cli/text/predict.ts';
import {
  predictCases,
  type PredictReport,
  type PredictRequest,
} from '../../../src/workflows/predict/predict.ts';
import { context, cwd, packageRoot } from '../throughput/plan-context.ts';

const predict = (
  options: Partial<Parameters<typeof requestOf>[0]>,
  change: Partial<PredictRequest> = {},
): Promise<PredictReport> =>
  predictCases(context(), {
    ...requestOf({ chips: 1, system: 'h200', stack: 'pip', ...options }, { dryRun: true }),
    ...{ software: 'measured', pinnedRounding: null },
    ...change,
  });

const squeezed = (text: string): string => text.replace(/ +/g, ' ');

describe('superoffload predict', () => {
  it('gives one case part by part, with what is the wall, the headroom, the step and its sources', async () => {
    const text = squeezed(predictText(await predict({ mode: ['prism'], model: ['3B'] })));
    expect(text).toMatch(/^prism 3B, 3\.127B parameters$/m);
    expect(text).toMatch(/^fp32 gradients, pinned a subgroup host 20\.51 \[\d\]$/m);
    expect(text).toMatch(/^GPU: 41\.8 GiB allocated, about 45\.0 reserved of 139\.0, 94\.0 left$/m);
    expect(text).toMatch(/^host: 84\.0 GiB of 125\.0, 41\.0 left\nfits; first wall: host memory$/m);
    expect(text).toMatch(/^weights to the GPU 749 link to the host \[\d+\]$/m);
    expect(text).toMatch(/^step: about 4\.\d+ s, bound by link to the host$/m);
    expect(text).toMatch(/^run of 40 steps: about \dm\d\ds, with the start and the first step$/m);
    const marks = [...text.matchAll(/\[(\d+)\]$/gm)].map(([, mark]) => mark);
    for (const mark of marks) expect(text).toMatch(new RegExp(`^\\[${mark}\\] .{10}`, 'm'));
  });

  it('gives several as a table: those that do not fit too, with their wall', async () => {
    const report = await predict({ mode: ['zero_offload', 'zero_2'], model: ['5B', '10B', '20B'] });
    expect(report.cases.map(({ prediction }) => prediction.fits)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    const text = squeezed(predictText(report));
    expect(text).toMatch(/^10B zero_offload 10\.280B [\d.]+ [\d.]+ no: host [\d.]+ [\d.]+ Adam on the CPU$/m);
    expect(text).toMatch(/^20B zero_2 20\.557B [\d.]+ [\d.]+ no: gpu [\d.]+ [\d.]+ matrix products$/m);
    expect(text).toMatch(/^note: pinned host memory rounded up to powers of two/m);
  });

  it("takes the experiment's sizes where none is named, and says what the paper's machine had", async () => {
    const report = await predict({ system: 'deltaai', chips: 4, mode: ['prism'] });
    expect(report.cases.map(({ case: { model } }) => model.name)).toContain('50B');
    expect(report.notes.join()).toMatch(
      /the paper's machine had 240 GB of host memory a chip, deltaai has 119 GiB/,
    );
    expect((await predict({ system: 'h200', mode: ['prism'], model: ['1B'] })).notes.join()).not.toMatch(
      /paper/,
    );
  });

  it('follows the rounding that is asked for, the software and --exclusive-host', async () => {
    const flags = { system: 'deltaai', mode: ['prism'], model: ['5B'] };
    const host = async (change: Partial<PredictRequest>): Promise<number> =>
      (await predict(flags, change)).cases[0]?.prediction.memory.hostGiB ?? Number.NaN;
    expect(await host({ pinnedRounding: 'none' })).toBeLessThan(await host({}));
    expect(await host({ software: 'paper' })).toBeLessThan(await host({}));
    const whole = await predict(flags, { scheduling: { exclusiveHost: true } });
    expect(whole.cases[0]?.prediction.capacity.hostGiB).toBe(476);
  });

  it("reads buckets and subgroups from --ds and from the user's DeepSpeed JSON alike", async () => {
    const file = join(cwd, 'mine.json');
    const zero = { stage: 3, sub_group_size: 1e8, reduce_bucket_size: 1e8 };
    const offload = { device: 'cpu', pin_memory: true, ratio: 0.5, super_offload: true };
    writeFileSync(
      file,
      JSON.stringify({ bf16: { enabled: true }, zero_optimization: { ...zero, offload_optimizer: offload } }),
    );
    const flags = { mode: ['prism'], model: ['2B'] };
    const gpu = async (options: Parameters<typeof predict>[0]): Promise<number> =>
      (await predict({ ...flags, ...options })).cases[0]?.prediction.memory.gpuGiB ?? Number.NaN;
    const ds = [
      'zero_optimization.sub_group_size=100000000',
      'zero_optimization.reduce_bucket_size=100000000',
    ];
    // Measured with a separate head: 45.7 GiB.
    expect(await gpu({ config: file })).toBeCloseTo(45.5, 1);
    expect(await gpu({ ds, ratio: 0.5 })).toBe(await gpu({ config: file }));
    await expect(gpu({ ds: ['zero_optimization.sub_grup_size=1'] })).rejects.toThrow(/sub_grup_size/);
  });

  it('refuses what cannot be laid out or is not there, all at once', async () => {
    await expect(predict({ system: 'gh200-nvl2', chips: 3, model: ['2B'] })).rejects.toThrow(
      /whole nodes of 2 chips/,
    );
    await expect(predict({ model: ['2C'], mode: ['prysm'] })).rejects.toThrow(
      /2C[\s\S]*prysm|prysm[\s\S]*2C/,
    );
    await expect(predict({ system: 'nowhere' })).rejects.toThrow(/nowhere/);
  });

  it('names the modes that a machine without a GPU cannot run', async () => {
    const report = await predict({ system: 'cpu', mode: ['prism', 'zero_3'], model: ['tiny'] });
    expect(report.cases.map(({ case: { mode } }) => mode)).toEqual(['zero_3']);
    expect(predictText(report)).toMatch(/not run: prism tiny: .* needs an NVIDIA GPU/);
  });

  it('is a verb that prints JSON to stdout, and makes no state folder', async () => {
    const program = [
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      join(packageRoot, 'src/main.ts'),
    ];
    const flags = ['predict', '--system', 'gh200', '--mode', 'prism', '--model', '10B', '--json'];
    const { stdout, stderr, exitCode } = await capture([...program, ...flags], {
      env: { ...process.env },
      cwd,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      system: { name: 'gh200' },
      cases: [{ case: { mode: 'prism' }, prediction: { fits: true, pinnedRounding: 'power-of-two' } }],
    });
    expect(existsSync(join(cwd, '.superoffload'))).toBe(false);
  });
});
