import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readExperiment } from '../../../src/adapters/experiment-data.ts';
import { describePlan } from '../../../src/core/plan/describe.ts';
import { minStableSamples } from '../../../src/core/stats/stable.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { requireRanks, resolveMachine } from '../../../src/workflows/machine.ts';
import { quickstartRequest } from '../../../src/workflows/quickstart.ts';
import { context, cwd, installed, nvidiaSmi, only, packageRoot, plan } from './plan-context.ts';

describe('the stack of a plan', () => {
  it('is used where it is made for this CPU and accelerator, which the script states', async () => {
    installed('cpu');
    expect(only(await plan()).env['DS_ACCELERATOR']).toBe('cpu');
    nvidiaSmi();
    installed('cuda');
    const found = only(await plan());
    expect(found).toMatchObject({ functional: false, env: { DS_ACCELERATOR: 'cuda' } });
    expect(describePlan(found)).toContain('export DS_ACCELERATOR=cuda');
  });

  it.each<[string, () => void, Context['env'], RegExp, RegExp]>([
    [
      'for GPUs, and the CPU is asked for',
      () => {
        nvidiaSmi();
        installed('cuda');
      },
      { DS_ACCELERATOR: 'cpu' },
      /made for GPUs, and this is a run on the CPU$/,
      /DS_ACCELERATOR=cpu superoffload install/,
    ],
    [
      'for the CPU, and there are GPUs',
      () => {
        nvidiaSmi();
        installed('cpu');
      },
      {},
      /made for the CPU, and this is a run on GPUs$/,
      /superoffload install --stack pip --reinstall/,
    ],
    [
      'for GPUs, and their driver fails',
      () => {
        nvidiaSmi('echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
        installed('cuda');
      },
      {},
      /run on the CPU \(nvidia-smi fails: Failed to initialize NVML/,
      /mend the driver/,
    ],
    [
      'for another CPU',
      () => {
        installed('cpu', '00000000');
      },
      {},
      /compiled for another CPU/,
      /superoffload install --stack pip/,
    ],
  ])('is refused where it is made %s', async (_, prepare, env, message, hint) => {
    prepare();
    const error: unknown = await plan({}, {}, env).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'environment' });
    expect((error as { message: string }).message).toMatch(message);
    expect((error as { hint: string }).hint).toMatch(hint);
    expect((await plan({}, { dryRun: true }, env)).notes.join('\n')).toContain('would be refused');
  });

  it('may be absent in a dry run', async () => {
    await expect(plan()).rejects.toThrow('is not installed');
    expect(only(await plan({}, { dryRun: true })).env['DS_ACCELERATOR']).toBe('cpu');
  });
});

describe('a machine', () => {
  it('has the GPUs that CUDA_VISIBLE_DEVICES leaves, and the deepspeed launcher is told which', async () => {
    nvidiaSmi();
    installed('cuda');
    const env = { CUDA_VISIBLE_DEVICES: '3,1' };
    const found = await plan({ chips: 2 }, {}, env);
    expect(only(found).command).toContain('--include=localhost:3,1');
    expect(found.machine.system.chipsPerNode).toBe(2);
    await expect(plan({ chips: 3 }, {}, env)).rejects.toThrow('--chips 3: this machine has 2 GPUs');
    expect(only(await plan({ chips: 2 })).command).toContain('--num_gpus=2');
  });

  it('does not give parts of a GPU to a launcher that would take the whole', async () => {
    nvidiaSmi();
    installed('cuda');
    const env = { CUDA_VISIBLE_DEVICES: 'MIG-1,MIG-2' };
    await expect(plan({ chips: 2 }, {}, env)).rejects.toThrow(/takes whole GPUs.*--launcher torchrun/);
    expect((await plan({ chips: 2 }, { launcher: 'torchrun' }, env)).plans).toHaveLength(1);
  });

  it('is told to have a driver that fails', async () => {
    nvidiaSmi('echo "No devices were found"; exit 6');
    installed('cpu');
    expect((await plan()).notes[0]).toContain('no GPU (nvidia-smi fails: No devices were found)');
  });

  it.each([
    [1, 16, 17],
    [2, 16, 17],
    [8, 64, 65],
  ])('of %i cores carries %i CPU ranks and not %i', async (cores, most, tooMany) => {
    const machine = await resolveMachine(context(), 'local');
    const small = { ...machine, system: { ...machine.system, cores } };
    requireRanks(small, most);
    expect(() => {
      requireRanks(small, tooMany);
    }).toThrow(`--chips ${tooMany}: that many CPU ranks`);
    requireRanks({ ...small, system: { ...small.system, accelerator: 'cuda' } }, tooMany);
  });

  it('refuses ranks without number before anything else, dry run or not', async () => {
    await expect(plan({ chips: 100_000 }, { dryRun: true })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('data of the folder', () => {
  it('is named with the sizes that it gives', async () => {
    installed('cpu');
    expect((await plan()).notes.join('\n')).not.toContain('stands before');
    mkdirSync(join(cwd, 'experiment'));
    const models = { tiny: { layers: 3, hidden: 64, heads: 4, vocabulary: 512, source: 'mine' } };
    writeFileSync(join(cwd, 'experiment', 'model.json'), JSON.stringify({ models }));
    expect((await plan()).notes).toContain(
      `data of ${cwd}/experiment stands before the package's: model.json (tiny of this plan)`,
    );
    expect((await plan({ models: ['tiny-1M'] })).notes).toContain(
      `data of ${cwd}/experiment stands before the package's: model.json`,
    );
  });
});

it('plans enough steps for a stable stop, were half of them warm-up', () => {
  const { cuda, cpu } = readExperiment('throughput', [join(packageRoot, 'experiment')]);
  const steps = [
    cuda.steps,
    cpu.steps,
    quickstartRequest('cuda', { dryRun: false, hasOverlay: true }).flags.steps ?? cuda.steps,
  ];
  for (const count of steps) expect(count / 2).toBeGreaterThanOrEqual(minStableSamples);
});

it('quickstart on a GPU shows prism_overlap beside prism, unless the stack has not the patches', () => {
  const modesOf = (hasOverlay: boolean) =>
    quickstartRequest('cuda', { dryRun: true, hasOverlay }).flags.modes;
  expect(modesOf(true)).toEqual(['prism', 'prism_overlap', 'zero_offload', 'zero_infinity', 'ddp']);
  expect(modesOf(false)).toEqual(['prism', 'zero_offload', 'zero_infinity', 'ddp']);
  const cpu = quickstartRequest('cpu', { dryRun: true, hasOverlay: true });
  expect(cpu.flags.modes).toBeUndefined();
});

it('expects of a case that never ran here what is predicted of it', async () => {
  const found = await plan({ models: ['5B'], modes: ['prism'] }, { system: 'gh200', dryRun: true });
  const [caseId] = found.plans.map((each) => each.caseId);
  expect(found.expectedMs[caseId!]).toBeGreaterThan(60_000);
});
