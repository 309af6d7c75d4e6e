import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  deepspeedFromSource,
  failure,
  file,
  lockWith,
  run,
  withMegatron,
  type Flags,
} from './megatron-stack.ts';
import { cwd, json, only, plan } from './plan-context.ts';

describe('the traps in how Megatron and the JSON meet', () => {
  const cpu = { device: 'cpu' };
  const stage2 = { zero_optimization: { stage: 2, offload_optimizer: cpu }, bf16: { enabled: true } };

  it('1: --zero-stage is the stage of the JSON, generated or given', async () => {
    withMegatron();
    const stageOf = (found: Awaited<ReturnType<typeof run>>): string | undefined => {
      const { command } = only(found);
      return command[command.indexOf('--zero-stage') + 1];
    };
    expect(stageOf(await run())).toBe('2');
    expect(stageOf(await run({ modes: ['zero_infinity'] }))).toBe('3');
    const given = file({ ...stage2, gradient_clipping: 0 });
    expect(stageOf(await plan({ workload: 'megatron', modes: ['zero_offload'] }, given))).toBe('2');
    expect((await failure({ modes: ['zero_3'] }, given)).message).toContain('disagrees with --mode zero_3');
    expect((await failure({ deepspeedOverrides: ['zero_optimization.stage=3'] })).message).toContain(
      '--mode',
    );
  });

  it('2 and 3: no micro-batch, accumulation or batch of its own', async () => {
    withMegatron();
    const given = file({ ...stage2, train_micro_batch_size_per_gpu: 2, train_batch_size: 8 });
    const found = await run({}, given);
    expect(only(found).command.join(' ')).toContain('--micro-batch-size 2 --global-batch-size 8');
    expect(json(found)).toMatchObject({ gradient_accumulation_steps: 4 });
    expect((await failure({ microBatch: 4 }, given)).message).toContain('disagrees with --micro-batch 4');
    expect((await failure({ chips: 8 }, given)).message).toContain('--global-batch: 8 sequences cannot');
    for (const key of ['train_micro_batch_size_per_gpu', 'train_batch_size', 'gradient_accumulation_steps']) {
      expect((await failure({ deepspeedOverrides: [`${key}=4`] })).message).toContain('belongs to a flag');
    }
    const shared = await run(
      { chips: 2, sequenceParallel: 2 },
      file({ ...stage2, gradient_accumulation_steps: 4, train_micro_batch_size_per_gpu: 1 }),
    );
    expect(json(shared)).toMatchObject({ train_batch_size: 4, gradient_accumulation_steps: 4 });
  });

  it('4: one number format in both, and never two in the JSON', async () => {
    withMegatron();
    expect(only(await run({}, file(stage2))).command).toContain('--bf16');
    expect((await failure({ dtype: 'fp16' }, file(stage2))).message).toContain('disagrees with --dtype fp16');
    const both = file({ ...stage2, fp16: { enabled: true } });
    expect((await failure({}, both)).message).toContain(
      '/fp16/enabled: is true, and the training script is told',
    );
    const old = file({ zero_optimization: stage2.zero_optimization, bfloat16: { enabled: true } });
    expect(only(await run({}, old)).command).toContain('--bf16');
    for (const key of ['fp16.enabled=true', 'bf16.enabled=false', 'fp16={"enabled":true}']) {
      expect((await failure({ deepspeedOverrides: [key] })).message).toContain('belongs to a flag');
    }
    expect(
      (
        await failure({
          deepspeedOverrides: ['bfloat16.enabled=true'],
          dtype: 'fp32',
          attention: 'unfused',
        })
      ).message,
    ).toContain('/bfloat16/enabled: is true');
    expect((await failure({ deepspeedOverrides: ['zero_optimization.stages=3'] })).message).toContain(
      'is not a known key',
    );
  });

  it('5: --clip-grad is what DeepSpeed clips at', async () => {
    withMegatron();
    const clip = (found: Awaited<ReturnType<typeof run>>): unknown[] => {
      const { command } = only(found);
      return [command[command.indexOf('--clip-grad') + 1], json(found)['gradient_clipping']];
    };
    expect(clip(await run())).toEqual(['0', 0]);
    expect(clip(await run({ deepspeedOverrides: ['gradient_clipping=0.5'] }))).toEqual(['0.5', 0.5]);
    expect(clip(await run({}, file({ ...stage2, gradient_clipping: 1 })))).toEqual(['1', 1]);
    expect(only(await run({ dtype: 'fp16' })).command).not.toContain('--loss-scale');
  });

  it('6: prism runs SuperOffload, or does not start', async () => {
    withMegatron('cuda');
    const offload = (found: Awaited<ReturnType<typeof run>>): unknown =>
      (json(found)['zero_optimization'] as Record<string, unknown>)['offload_optimizer'];
    const prism = { modes: ['prism'], models: ['2B'] };
    expect(offload(await run(prism))).toMatchObject({ ratio: 0.9, super_offload: true });
    const published = file({
      bf16: { enabled: true },
      zero_optimization: { stage: 3, offload_optimizer: { ...cpu, ratio: 0.9 } },
    });
    expect((await failure(prism, published)).message).toContain('zero_infinity disagrees with --mode prism');
    const unnamed = await run({ modes: ['zero_infinity'], models: ['2B'] }, published);
    expect(unnamed.notes.join()).toMatch(/runs nothing of SuperOffload; this is zero_infinity/);
    expect((await run({ modes: ['zero_infinity'], models: ['2B'] })).notes.join()).not.toContain(
      'nothing of',
    );
    const off = 'zero_optimization.offload_optimizer.super_offload=false';
    expect((await failure({ ...prism, deepspeedOverrides: [off] })).message).toContain(
      'runs nothing of SuperOffload',
    );
    lockWith(() => ({ deepspeed: { version: '0.17.6' } }));
    expect((await failure(prism)).message).toContain('runs nothing of SuperOffload');
  });

  it("6: the paper's branch has no key for it, and is never given one", async () => {
    withMegatron('cuda');
    deepspeedFromSource(false);
    const prism = { modes: ['prism'], models: ['2B'] };
    const found = await run(prism);
    const zero = json(found)['zero_optimization'] as Record<string, unknown>;
    expect(zero['offload_optimizer']).toEqual({ device: 'cpu', pin_memory: true, ratio: 0.9 });
    expect(found.notes.join()).not.toContain('has no key for SuperOffload');
    const infinity = await run({ modes: ['zero_infinity'], models: ['2B'] });
    expect(infinity.notes.join()).toContain('has no key for SuperOffload');
    const published = file({
      bf16: { enabled: true },
      zero_optimization: { stage: 3, offload_optimizer: { ...cpu, ratio: 0.9 } },
    });
    expect(only(await run({ models: ['2B'], modes: ['prism'] }, published)).case).toMatchObject({
      mode: 'prism',
    });
  });

  it("6: upstream's own repository has the key, and a tree that cannot be read is refused", async () => {
    withMegatron('cuda');
    deepspeedFromSource(true);
    const prism = { modes: ['prism'], models: ['2B'] };
    expect(JSON.stringify(json(await run(prism)))).toContain('"super_offload":true');
    lockWith(({ upstreams }) => ({
      upstreams: { ...upstreams, deepspeed: { ...upstreams.deepspeed, directory: join(cwd, 'gone') } },
    }));
    expect(await failure(prism)).toMatchObject({ code: 'environment' });
  });

  it.each([
    ['flags', { modes: ['prism'] }, null],
    [
      '--config',
      { modes: ['prism'] },
      {
        fp16: { enabled: true },
        zero_optimization: { stage: 3, offload_optimizer: { ...cpu, super_offload: true, ratio: 0.9 } },
      },
    ],
    ['--ds', { modes: ['prism'], deepspeedOverrides: ['gradient_clipping=0'] }, null],
    ['--ds as a fraction', { modes: ['prism'], deepspeedOverrides: ['gradient_clipping=0.0'] }, null],
  ] as const)('SuperOffload in fp16 without clipping is refused (%s)', async (_, flags, content) => {
    withMegatron('cuda');
    const asked = { models: ['2B'], dtype: 'fp16', ...flags } as Flags;
    const change = content === null ? {} : file(content);
    expect((await failure(asked, change)).message).toContain('NaN moments');
    expect((await run({ ...asked, allowUnsafe: true }, change)).plans).toHaveLength(1);
  });

  it("the same on the paper's branch, under whatever name", async () => {
    withMegatron('cuda');
    deepspeedFromSource(false);
    const asked = { models: ['2B'], modes: ['zero_infinity'], dtype: 'fp16' } as const;
    expect((await failure(asked)).message).toContain('zero_infinity without gradient clipping rolls');
    expect((await run({ ...asked, gradientClipping: 1 })).plans).toHaveLength(1);
  });

  it.each([
    'curriculum_learning.enabled=true',
    'activation_checkpointing.partition_activations=true',
    'scheduler.type="WarmupLR"',
    'sequence_parallel_size=2',
    'torch_autocast.enabled=true',
  ])('no section of the JSON changes what the arguments say: %s', async (word) => {
    withMegatron();
    const { message } = await failure({ deepspeedOverrides: [word] });
    expect(message).toMatch(/Megatron has its own|the arguments of Megatron decide|is not a known key/);
  });
});
