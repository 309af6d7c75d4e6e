import { describe, expect, it } from 'vitest';
import { builtinWorkload } from '../../../src/core/workloads/builtin.ts';
import { sampleCase } from '../sample-case.ts';

const paths = {
  trainer: '/package/trainer',
  megatron: '/src/megatron',
  deepspeedConfig: 'ds.json',
  stopFile: 'stop',
  syntheticData: '/synthetic/text',
};
const words = (change: Parameters<typeof sampleCase>[0]): string =>
  builtinWorkload.program(sampleCase(change), paths).join(' ');

describe('the built-in workload', () => {
  it('is the trainer with the case as arguments', () => {
    expect(words({})).toBe(
      '/package/trainer/train.py --num-layers 40 --hidden-size 2048 --num-attention-heads 32 --vocab-size 50432 ' +
        '--make-vocab-size-divisible-by 1 --seq-length 1024 --micro-batch-size 8 --global-batch-size 8 ' +
        '--train-iters 30 --seed 1234 --bf16 --deepspeed_config ds.json --stop-file stop',
    );
  });

  it.each([
    [{ dtype: 'fp16' } as const, '--fp16'],
    [{ activationCheckpointing: true }, '--checkpoint-activations'],
    [{ dropout: 0.1 }, '--hidden-dropout 0.1 --attention-dropout 0.1'],
    [{ dataPath: '/data/my text' }, '--data-path /data/my text'],
  ])('%j adds %s', (change, flag) => {
    expect(words({})).not.toContain(flag);
    expect(words(change)).toContain(flag);
  });

  it('gives long sequences what shares and saves their memory', () => {
    const long = {
      chips: 4,
      sequenceParallel: 4,
      sequenceLength: 131_072,
      microBatch: 1,
      activationCheckpointing: true,
      activationOffload: true,
      attention: 'unfused',
      fp16LmCrossEntropy: true,
    } as const;
    expect(words(long)).toContain(
      '--bf16 --ds-sequence-parallel-size 4 --attention unfused --checkpoint-activations --checkpoint-in-cpu ' +
        '--fp16-lm-cross-entropy --loss-chunk 10645 --deepspeed_config',
    );
  });

  it('gives fp32 no flag', () => {
    expect(words({ dtype: 'fp32' })).not.toMatch(/--(bf16|fp16|fp32)/);
  });
});
