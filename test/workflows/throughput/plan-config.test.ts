import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../../../src/cli/flags/case.ts';
import {
  planThroughput,
  type ThroughputPlan,
  type ThroughputRequest,
} from '../../../src/workflows/throughput/plan-throughput.ts';
import { context, cwd, installed, json, nvidiaSmi, only, plan } from './plan-context.ts';

describe('a DeepSpeed JSON of the user', () => {
  const withFile = async (
    content: object,
    flags: ThroughputRequest['flags'] = {},
  ): Promise<ThroughputPlan> => {
    installed('cpu');
    const configFile = join(cwd, 'mine.json');
    writeFileSync(configFile, JSON.stringify(content));
    const base = requestOf({ chips: 1, system: 'local', stack: 'pip' });
    return planThroughput(context(), {
      ...base,
      flags: { chips: 1, models: ['tiny'], ...flags },
      configFile,
    });
  };
  const cpu = { device: 'cpu' };
  const offload = { zero_optimization: { stage: 2, offload_optimizer: cpu } };

  it('gives its mode to the case, and takes every --ds', async () => {
    const found = await withFile(
      { ...offload, gradient_clipping: 1, bf16: { enabled: true } },
      { deepspeedOverrides: ['zero_optimization.reduce_bucket_size=1000', 'gradient_clipping=0.5'] },
    );
    expect(json(found)).toMatchObject({
      gradient_clipping: 0.5,
      zero_optimization: { stage: 2, offload_optimizer: cpu, reduce_bucket_size: 1000 },
    });
    expect(only(found).case).toMatchObject({ mode: 'zero_offload', dtype: 'bf16', gradientClipping: 0.5 });
    expect(json(await withFile({ ...offload, gradient_clipping: 1 }))['gradient_clipping']).toBe(1);
  });

  it.each<[string, object, ThroughputRequest['flags'], RegExp]>([
    ['another mode', offload, { modes: ['zero_2'] }, /zero_offload disagrees with --mode zero_2/],
    ['two modes', offload, { modes: ['zero_offload', 'zero_3'] }, /disagrees with --mode zero_3/],
    [
      'SuperOffload in fp16 under another name',
      {
        fp16: { enabled: true },
        zero_optimization: { stage: 3, offload_optimizer: { ...cpu, super_offload: true } },
      },
      { modes: ['zero_infinity'] },
      /prism disagrees with --mode zero_infinity[^]*--dtype fp16: prism without gradient clipping/,
    ],
    [
      'a misspelt section, before a mode is read out of what is left',
      { bf16: { enabled: true }, zero_optimisation: { stage: 3, offload_optimizer: cpu } },
      { modes: ['zero_infinity'] },
      /^.*mine.json \/zero_optimisation: is not a known key \(did you mean "zero_optimization"\?\)\n?(?![^]*disagrees)/,
    ],
    [
      'a misspelt key of a section',
      { zero_optimization: { stage: 2, offload_optimiser: cpu } },
      { modes: ['zero_offload'] },
      /^.*mine.json \/zero_optimization\/offload_optimiser: is not a known key \(did you mean "offload_optimizer"\?\)/,
    ],
    ['an optimizer', { ...offload, optimizer: {} }, {}, /\/optimizer: the built-in trainer has its own/],
    [
      'another mode by --ds',
      offload,
      { deepspeedOverrides: ['zero_optimization.offload_optimizer.device=none'] },
      /--ds: makes zero_2 of zero_offload/,
    ],
  ])('is refused with %s', async (_, content, flags, message) => {
    await expect(withFile(content, flags)).rejects.toThrow(message);
  });

  it('is refused with a key that is there twice', async () => {
    installed('cpu');
    const configFile = join(cwd, 'twice.json');
    writeFileSync(configFile, '{"zero_optimization": {"stage": 2},\n "zero_optimization": {"stage": 3}}');
    await expect(plan({}, { configFile })).rejects.toThrow(`${configFile}:2:2: not valid JSON: the key`);
  });
});

it.each(['prism', 'zero_offload', 'zero_infinity', 'zero_infinity_param', 'zero_2', 'zero_3', 'ddp'])(
  'plans %s, generated and with its own JSON as --config',
  async (mode) => {
    nvidiaSmi();
    installed('cuda');
    const generated = await plan({ modes: [mode] });
    const configFile = join(cwd, 'mine.json');
    writeFileSync(configFile, JSON.stringify(json(generated)));
    const again = await plan({ modes: [mode] }, { configFile });
    expect(json(again)).toEqual(json(generated));
    expect(only(again).caseId).toBe(only(generated).caseId);
  },
);

describe('--ratio', () => {
  it('is refused where no mode that was asked for has one', async () => {
    installed('cuda');
    nvidiaSmi();
    await expect(plan({ modes: ['zero-offload'], models: ['tiny'], ratio: 0.5 })).rejects.toThrow(
      '--ratio 0.5: zero_offload has no ratio (expected --mode prism, prism_overlap or prism_ulysses, or no such flag)',
    );
    const { plans } = await plan({ modes: ['zero_offload', 'prism'], models: ['tiny'], ratio: 0.5 });
    expect(plans.map(({ case: subject }) => subject?.ratio)).toEqual([null, 0.5]);
  });
});
