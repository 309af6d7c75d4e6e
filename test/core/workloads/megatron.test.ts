import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementFaults } from '../../../src/core/deepspeed/agreement.ts';
import { buildConfig, caseFaults } from '../../../src/core/deepspeed/build-config.ts';
import { labelFaults } from '../../../src/core/deepspeed/read-config.ts';
import { modes } from '../../../src/core/deepspeed/modes/registry.ts';
import { objectAt, type SuperOffloadSwitch } from '../../../src/core/deepspeed/super-offload.ts';
import { attentionNames, dtypes, modeNames, type Case } from '../../../src/core/experiment/case.ts';
import { padVocabulary } from '../../../src/core/model/shape.ts';
import { megatronWorkload } from '../../../src/core/workloads/megatron.ts';
import { sampleCase } from '../sample-case.ts';
import { artifactCases } from './megatron-cases.ts';

const paths = {
  trainer: '/package/trainer',
  megatron: '/stack/src/megatron',
  deepspeedConfig: 'ds_config.json',
  stopFile: 'stop',
  syntheticData: '/home/datasets/synthetic/text',
};
const argvOf = (subject: Case): readonly string[] => megatronWorkload.program(subject, paths);
const megatron = (change: Partial<Case> = {}): Case => sampleCase({ workload: 'megatron', ...change });

/** Flags to values; '' for a flag alone. */
function parsed(argv: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  argv.forEach((word, index) => {
    if (!word.startsWith('--')) return;
    expect(found, word).not.toHaveProperty(word);
    const next = argv[index + 1];
    found[word] = next === undefined || next.startsWith('--') ? '' : next;
  });
  return found;
}

describe('the Megatron workload', () => {
  it.each(Object.entries(artifactCases))('%s', async (name, subject) => {
    expect(caseFaults(subject)).toEqual([]);
    const [script = '', ...words] = argvOf(subject);
    const text = words.join('\n').replaceAll(/\n(?!--)/g, ' ');
    await expect(`${script}\n${text}\n`).toMatchFileSnapshot(`../../golden/megatron/${name}.txt`);
  });

  it('differs from the published script of one chip in what is corrected, and in nothing else', () => {
    const published = parsed(
      `--tensor-model-parallel-size 1 --pipeline-model-parallel-size 1 --ds-sequence-parallel-size 1 --num-layers 40
       --hidden-size 2048 --num-attention-heads 32 --seq-length 1024 --loss-scale 12 --max-position-embeddings 1024
       --micro-batch-size 8 --global-batch-size 8 --train-iters 100 --lr 5.0e-5 --min-lr 1.e-5
       --lr-decay-style cosine --log-interval 1 --eval-iters 400 --eval-interval 200
       --data-path /datasets/gpt2_text_document --vocab-file /datasets/gpt2-vocab.json
       --merge-file /datasets/gpt2-merges.txt --save-interval 100 --split 98,2,0 --clip-grad 1.0 --weight-decay 0.1
       --adam-beta1 0.9 --adam-beta2 0.95 --init-method-std 0.006 --fp16 --exit-interval 10
       --make-vocab-size-divisible-by 256 --cpu-optimizer --deepspeed --deepspeed_config ds_config.json
       --zero-stage 3 --no-pipeline-parallel --checkpoint-activations --deepspeed-activation-checkpointing`.split(
        /\s+/,
      ),
    );
    const ours = parsed(argvOf(artifactCases['throughput-1']!));
    const differences = [...new Set([...Object.keys(published), ...Object.keys(ours)])]
      .filter((flag) => !sameValue(published[flag], ours[flag]))
      .map((flag) => `${flag}: ${published[flag] ?? 'absent'} -> ${ours[flag] ?? 'absent'}`);
    expect(differences.sort()).toEqual([
      '--attention-dropout: absent -> 0.1',
      '--data-cache-path: absent -> data-cache',
      '--eval-interval: 200 -> absent',
      '--eval-iters: 400 -> 0',
      '--exit-interval: 10 -> absent',
      '--hidden-dropout: absent -> 0.1',
      '--loss-scale: 12 -> absent',
      '--make-vocab-size-divisible-by: 256 -> 50432',
      '--no-gradient-accumulation-fusion: absent -> ',
      '--no-masked-softmax-fusion: absent -> ',
      '--save-interval: 100 -> absent',
      '--seed: absent -> 1234',
      '--split: 98,2,0 -> 100,0,0',
      '--zero-stage: 3 -> 2',
    ]);
  });

  it.each<[string, Partial<Case>, string[], string[]]>([
    ['bf16', {}, ['--bf16'], ['--fp16']],
    ['fp32', { dtype: 'fp32' }, [], ['--fp16', '--bf16', '--fp32']],
    ['nothing offloaded', { mode: 'zero_3' }, [], ['--cpu-optimizer']],
    ['an offloaded optimizer', { mode: 'zero_infinity' }, ['--cpu-optimizer'], []],
    ['sdpa', {}, ['--use-flash-attn-v2'], []],
    ['unfused attention', { attention: 'unfused' }, [], ['--use-flash-attn-v2']],
    ['no recomputation', {}, [], ['--checkpoint-activations', '--deepspeed-activation-checkpointing']],
    ['never', {}, [], ['--save', '--load', '--exit-interval', '--loss-scale', '--eval-interval']],
  ])('%s', (_, change, present, absent) => {
    const argv = parsed(argvOf(megatron(change)));
    for (const flag of present) expect(argv).toHaveProperty(flag);
    for (const flag of absent) expect(argv).not.toHaveProperty(flag);
  });

  it('says its dropout: Megatron would take 0.1', () => {
    expect(parsed(argvOf(megatron()))).toMatchObject({ '--hidden-dropout': '0', '--attention-dropout': '0' });
  });

  it('reads its own data set, or the synthetic one', () => {
    expect(parsed(argvOf(megatron()))['--data-path']).toBe(paths.syntheticData);
    expect(parsed(argvOf(megatron({ dataPath: '/my text/all' })))['--data-path']).toBe('/my text/all');
  });

  it('gives Megatron the padded vocabulary of the case, whatever its tokenizer counts', () => {
    const rows = fc.integer({ min: 1, max: 400 }).map((multiple) => multiple * 256);
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(rows, share, (paddedVocabulary, part) => {
        const model = { ...sampleCase().model, paddedVocabulary };
        const plain = parsed(argvOf(megatron({ model })));
        const divisor = Number(plain['--make-vocab-size-divisible-by']);
        // megatron/tokenizer/tokenizer.py: NullTokenizer.vocab_size is one more than --vocab-size.
        expect(padVocabulary(Number(plain['--vocab-size']) + 1, divisor)).toBe(paddedVocabulary);
        const files = { vocabFile: '/v.json', mergeFile: '/m.txt' };
        const text = parsed(argvOf(megatron({ model, ...files })));
        const tokens = Math.max(1, Math.floor(part * paddedVocabulary));
        expect(padVocabulary(tokens, Number(text['--make-vocab-size-divisible-by']))).toBe(paddedVocabulary);
        expect(text).not.toHaveProperty('--vocab-size');
      }),
    );
  });

  it('asks for the stop file through the environment, as the patched Megatron reads it', () => {
    expect(megatronWorkload.env(paths)).toEqual({ SUPEROFFLOAD_STOP_FILE: 'stop' });
  });
});

function sameValue(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || (a !== '' && Number(a) === Number(b));
}

const size = fc.integer({ min: 1, max: 16 });
const anyCase = fc
  .record({
    mode: fc.constantFrom(...modeNames),
    dtype: fc.constantFrom(...dtypes),
    attention: fc.constantFrom(...attentionNames),
    activationCheckpointing: fc.boolean(),
    microBatch: size,
    gradientAccumulation: size,
    dataParallel: size,
    sequenceParallel: fc.constantFrom(1, 2, 4, 8),
    gradientClipping: fc.constantFrom(0, 0.5, 1),
    dropout: fc.constantFrom(0, 0.1),
    seed: fc.integer({ min: 1, max: 1e6 }),
    steps: size,
  })
  .map(({ dataParallel, ...rest }) => {
    const sequenceParallel = modes[rest.mode].sharesSequences
      ? Math.max(2, rest.sequenceParallel)
      : rest.sequenceParallel;
    return megatron({
      ...rest,
      // Megatron's fused attention takes 16 bit alone.
      attention: rest.dtype === 'fp32' ? 'unfused' : rest.attention,
      sequenceParallel,
      chips: dataParallel * sequenceParallel,
      globalBatch: rest.microBatch * rest.gradientAccumulation * dataParallel,
      ratio: modes[rest.mode].defaultRatio,
    });
  });

describe('arguments and JSON of any case', () => {
  it.each<SuperOffloadSwitch>(['key', 'implied'])('say the same (%s)', (superOffload) => {
    fc.assert(
      fc.property(anyCase, (subject) => {
        const allowUnsafe = true;
        expect(caseFaults(subject, { allowUnsafe })).toEqual([]);
        const argv = parsed(argvOf(subject));
        const config = buildConfig(subject, { deepspeedVersion: '0.19.8', superOffload });
        const number = (flag: string): number => Number(argv[flag]);
        const dataParallel = subject.chips / number('--ds-sequence-parallel-size');
        expect(Number.isInteger(dataParallel)).toBe(true);
        expect(config).toMatchObject({
          train_batch_size: number('--global-batch-size'),
          train_micro_batch_size_per_gpu: number('--micro-batch-size'),
          // What Megatron computes: megatron/microbatches.py.
          gradient_accumulation_steps:
            number('--global-batch-size') / (number('--micro-batch-size') * dataParallel),
          gradient_clipping: number('--clip-grad'),
        });
        expect(objectAt(config, 'zero_optimization')['stage']).toBe(number('--zero-stage'));
        expect(objectAt(config, 'fp16')['enabled'] === true).toBe('--fp16' in argv);
        expect(objectAt(config, 'bf16')['enabled'] === true).toBe('--bf16' in argv);
        const offload = objectAt(objectAt(config, 'zero_optimization'), 'offload_optimizer');
        expect(offload['device'] === 'cpu').toBe('--cpu-optimizer' in argv);
        const options = { superOffload, place: 'JSON', allowUnsafe };
        expect(agreementFaults(config, subject, options)).toEqual([]);
        const reading = { superOffload, sequenceParallel: subject.sequenceParallel };
        expect(labelFaults(config, subject, reading)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});
