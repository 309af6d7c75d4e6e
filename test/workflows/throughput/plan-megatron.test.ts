import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readyData } from '../../../src/workflows/runs/run-data.ts';
import { failure, lockWith, run, withMegatron, type Flags } from './megatron-stack.ts';
import { context, cwd, installed, json, only, plan } from './plan-context.ts';

describe('a plan with Megatron', () => {
  it('is pretrain_gpt.py of the stack, told where the stop file and its data are', async () => {
    withMegatron();
    const found = only(await run());
    expect(found.command).toContain(join(cwd, 'megatron', 'pretrain_gpt.py'));
    expect(found).toMatchObject({
      workload: 'megatron',
      case: { workload: 'megatron', sequenceParallel: 1, attention: 'sdpa' },
      env: { SUPEROFFLOAD_STOP_FILE: 'stop' },
      stack: {
        apex: 'overlay',
        upstreams: { megatron: { commit: 'f'.repeat(40), version: null, patches: 1, dirty: false } },
      },
    });
    expect(found.env).not.toHaveProperty('CUDA_DEVICE_MAX_CONNECTIONS');
    expect(found.title).toMatch(/^megatron, zero_offload, tiny/);
    expect(found.cwd).toBeNull();
    const prefix = found.command[found.command.indexOf('--data-path') + 1];
    expect(prefix?.startsWith(join(cwd, 'home', 'datasets'))).toBe(true);
    expect(found.data).toMatchObject({ prefix, vocabulary: 512, tokens: 129 });
    expect(existsSync(`${prefix ?? ''}.bin`)).toBe(false);
  });

  it('has its synthetic data before the run, and only then', async () => {
    withMegatron();
    const found = only(await run({ steps: 2, globalBatch: 2, sequenceLength: 64 }));
    await readyData(context(), found);
    const { prefix = '', synthetic = null } = found.data ?? {};
    expect(existsSync(`${prefix}.bin`) && existsSync(`${prefix}.idx`)).toBe(true);
    expect(synthetic?.tokens).toBe(512);
    await expect(readyData(context(), { ...found, data: { ...found.data!, vocabulary: 9 } })).resolves.toBe(
      undefined,
    );
  });

  it('is refused on a stack without Megatron, and a dry run says so', async () => {
    installed('cpu');
    expect(await failure({})).toMatchObject({
      code: 'environment',
      hint: 'run: superoffload install --stack pip --with megatron',
    });
    expect((await run({}, { dryRun: true })).notes.join()).toContain('has no Megatron-DeepSpeed');
    expect((await plan()).plans).toHaveLength(1);
  });

  it('is refused where its patches were taken out, before anything is launched', async () => {
    withMegatron();
    lockWith(({ upstreams }) => ({ upstreams: { megatron: { ...upstreams.megatron, patches: null } } }));
    expect(await failure({})).toMatchObject({
      code: 'environment',
      message: 'the patches of Megatron-DeepSpeed are not applied in stack "pip"',
      hint: 'run: superoffload patch --stack pip',
    });
    expect((await run({}, { dryRun: true })).notes.join()).toContain('a run of this plan would be refused');
    expect((await plan()).plans).toHaveLength(1);
  });

  it('shares sequences: fewer batches, and heads and tokens that can be shared', async () => {
    withMegatron();
    const found = await run({ chips: 2, sequenceParallel: 2 });
    expect(only(found).case).toMatchObject({ chips: 2, sequenceParallel: 2, microBatch: 8, globalBatch: 8 });
    expect(only(found).title).toContain('sequence 128 shared by 2');
    expect(json(found)).toMatchObject({ train_batch_size: 8, train_micro_batch_size_per_gpu: 8 });
    expect((await failure({ chips: 8, sequenceParallel: 8 })).message).toContain(
      '--sequence-parallel: 8 ranks cannot share the 4 heads of tiny',
    );
    expect((await failure({ chips: 2, sequenceParallel: 2, sequenceLength: 127 })).message).toContain(
      '--sequence-length: 127 tokens cannot be shared by 2 ranks',
    );
    expect((await failure({ chips: 3, sequenceParallel: 2 })).message).toContain('3 chips cannot be split');
  });

  it.each<[Flags, RegExp]>([
    [{ modes: ['ulysses'] }, /--mode ulysses: needs chips that share each sequence/],
    [{ activationOffload: true }, /--activation-offload: .*--activation-checkpointing beside it/],
    [{ fp16LmCrossEntropy: true }, /--fp16-lm-cross-entropy: is for fp16 alone, and this is bf16/],
    [{ dtype: 'fp32' }, /--dtype fp32: Megatron's fused attention .*--attention unfused beside it/],
    [{ seed: 0 }, /--seed: 0 is no seed for Megatron/],
    [{ seed: 2 ** 32 }, /--seed: 4294967296 is no seed for Megatron \(expected .* to 4294967295\)/],
    [{ vocabFile: 'v.json' }, /--vocab-file: is half a tokenizer/],
    [{ mergeFile: 'm.txt' }, /--merge-file: is half a tokenizer/],
    [{ lossChunk: 512 }, /--loss-chunk: is nothing that Megatron can do/],
  ])('is refused with %j', async (flags, message) => {
    withMegatron();
    expect((await failure(flags)).message).toMatch(message);
  });

  it.each<[Flags, string]>([
    [{ vocabFile: 'v' }, '--vocab-file'],
    [{ vocabFile: 'v', mergeFile: 'm' }, '--merge-file'],
  ])('%j is refused for the built-in trainer', async (flags, place) => {
    installed('cpu');
    const error = (await plan(flags).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: 'usage' });
    expect(error.message).toContain(`${place}: is nothing that the built-in trainer can do`);
  });
});
