import { describe, expect, it } from 'vitest';
import { agreementFaults } from '../../../src/core/deepspeed/agreement.ts';
import { buildConfig } from '../../../src/core/deepspeed/build-config.ts';
import { runsSuperOffload, superOffloadSwitch } from '../../../src/core/deepspeed/super-offload.ts';
import type { Case } from '../../../src/core/experiment/case.ts';
import { sampleCase } from '../sample-case.ts';

const build = { deepspeedVersion: '0.19.8', superOffload: 'key' } as const;
const options = { superOffload: 'key', place: 'my.json', allowUnsafe: false } as const;
const places = (change: object, subject: Case = sampleCase()): string[] =>
  agreementFaults({ ...buildConfig(subject, build), ...change }, subject, options).map(({ place }) => place);

describe('agreementFaults', () => {
  it.each<[object, string]>([
    [{ train_batch_size: 4 }, '/train_batch_size'],
    [{ train_batch_size: 'auto' }, '/train_batch_size'],
    [{ train_micro_batch_size_per_gpu: 4 }, '/train_micro_batch_size_per_gpu'],
    [{ gradient_accumulation_steps: 2 }, '/gradient_accumulation_steps'],
    [{ gradient_clipping: 1 }, '/gradient_clipping'],
    [{ gradient_clipping: undefined }, '/gradient_clipping'],
    [{ bf16: { enabled: false } }, '/bf16/enabled'],
    [{ bf16: { enabled: 'auto' } }, '/bf16/enabled'],
    [{ fp16: { enabled: true } }, '/fp16/enabled'],
    [{ zero_optimization: { stage: 3 } }, '/zero_optimization/stage'],
    [{ zero_optimization: {} }, '/zero_optimization/stage'],
    [{ optimizer: {} }, '/optimizer'],
    [{ scheduler: {} }, '/scheduler'],
  ])('finds %j', (change, place) => {
    expect(places(change)).toEqual([`my.json ${place}`]);
  });

  it('takes a half type that is named in the older way, or switched off', () => {
    expect(places({})).toEqual([]);
    expect(places({ fp16: { enabled: false, loss_scale: 0 } })).toEqual([]);
    const { bf16, ...rest } = buildConfig(sampleCase(), build);
    expect(agreementFaults({ ...rest, bfloat16: bf16 }, sampleCase(), options)).toEqual([]);
  });

  it.each(['builtin', 'megatron'] as const)(
    'refuses what changes batch, ranks or type under %s',
    (workload) => {
      const subject = sampleCase({ workload });
      const decisive = {
        elasticity: { enabled: true, max_train_batch_size: 4 },
        amp: { enabled: true },
        torch_autocast: { enabled: true, dtype: 'float16' },
        expert_parallel: { enabled: true },
        tensor_parallel: { autotp_size: 2 },
        sequence_parallel_size: 2,
        gradient_allreduce_op: 'sum',
        managed_gradient_accumulation: false,
      };
      for (const [key, value] of Object.entries(decisive)) {
        expect(places({ [key]: value }, subject)).toEqual([`my.json /${key}`]);
      }
      const harmless = {
        elasticity: { enabled: false },
        amp: { enabled: false },
        sequence_parallel_size: 1,
        gradient_allreduce_op: 'mean',
        managed_gradient_accumulation: true,
      };
      expect(places(harmless, subject)).toEqual([]);
    },
  );

  it('leaves to the built-in trainer what only Megatron reads', () => {
    expect(places({ curriculum_learning: {} })).toEqual([]);
    expect(places({ curriculum_learning: {} }, sampleCase({ workload: 'megatron' }))).toEqual([
      'my.json /curriculum_learning',
    ]);
  });
});

describe('the switch of SuperOffload', () => {
  it.each([
    ['0.19.8', null, 'key'],
    ['0.18.0', null, 'key'],
    ['0.17.6', null, 'absent'],
    ['0.17.6+1234abc', { hasKey: false }, 'implied'],
    ['0.20.0+1234abc', { hasKey: true }, 'key'],
  ] as const)('of %s from %j is %s', (version, source, expected) => {
    expect(superOffloadSwitch(version, source)).toBe(expected);
  });

  it('is on by its key, or wherever ZeRO-3 offloads its optimizer', () => {
    const zero = (stage: number, offload?: object) => ({
      zero_optimization: { stage, ...(offload === undefined ? {} : { offload_optimizer: offload }) },
    });
    const plain = zero(3, { device: 'cpu' });
    const keyed = zero(3, { device: 'cpu', super_offload: true });
    expect([plain, keyed].map((config) => runsSuperOffload(config, 'key'))).toEqual([false, true]);
    expect([plain, zero(2, { device: 'cpu' }), zero(3)].map((c) => runsSuperOffload(c, 'implied'))).toEqual([
      true,
      false,
      false,
    ]);
    expect(runsSuperOffload(keyed, 'absent')).toBe(false);
  });
});
