/** The runs that train.test.ts judges; all in one Python start (run_cases.py). */
import type { TrainerCase } from './cases.ts';
import { asked, overlapping, overlapZero } from './overlap-cases.ts';
import { config, globalBatch, sharedSteps, tiny } from './tiny-case.ts';

const cpuOptimizer = { offload_optimizer: { device: 'cpu' } };
export const zeroOffload = { stage: 2, ...cpuOptimizer };
const zeroInfinity = { stage: 3, ...cpuOptimizer };
/** As the artifact's file has it: every weight stays gathered. */
const persistent = { stage3_param_persistence_threshold: 1e12, stage3_model_persistence_threshold: 1e12 };

const fp32 = (
  name: string,
  ranks: number,
  accumulation: number,
  zero: Readonly<Record<string, unknown>>,
  argv: string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): TrainerCase => {
  const microBatch = globalBatch / ranks / accumulation;
  return { name, ranks, argv: tiny(50, microBatch, ...argv), config: config(ranks, microBatch, zero, more) };
};

const bf16 = (
  name: string,
  ranks: number,
  zero: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): TrainerCase => ({
  name,
  ranks,
  argv: tiny(4, 4, '--bf16'),
  config: config(ranks, 4, zero, { bf16: { enabled: true }, ...more }),
});

/** Plain AdamW with the same arguments (reference.py); of the JSON it reads the clipping alone. */
const reference = (name: string, iterations: number, argv: string[] = [], clipping = 0): TrainerCase => ({
  name,
  program: 'reference.py',
  ranks: 1,
  argv: tiny(iterations, globalBatch, ...argv),
  config: { gradient_clipping: clipping },
});

export const followers: readonly TrainerCase[] = [
  fp32('zero_offload-1-rank-accumulation-1', 1, 1, zeroOffload),
  fp32('zero_offload-1-rank-accumulation-4', 1, 4, zeroOffload),
  fp32('zero_offload-2-ranks-accumulation-1', 2, 1, zeroOffload),
  fp32('zero_offload-2-ranks-accumulation-4', 2, 4, zeroOffload),
  fp32('zero_infinity-1-rank-accumulation-1', 1, 1, { ...zeroInfinity, offload_param: { device: 'cpu' } }),
  fp32('zero_infinity-1-rank-accumulation-4', 1, 4, { ...zeroInfinity, ...persistent }),
  fp32('zero_infinity-2-ranks-accumulation-1-checkpointed', 2, 1, { ...zeroInfinity, ...persistent }, [
    '--checkpoint-activations',
  ]),
  fp32('zero_infinity-2-ranks-accumulation-4', 2, 4, zeroInfinity),
];

/**
 * `ranks / shared` data-parallel groups of `shared` ranks that share each sequence. Followed for fewer steps than the
 * others: four ranks on two cores are slow.
 */
const sharing = (
  name: string,
  ranks: number,
  shared: number,
  microBatch: number,
  zero: Readonly<Record<string, unknown>>,
  argv: string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): TrainerCase => ({
  name,
  ranks,
  argv: tiny(sharedSteps, microBatch, '--ds-sequence-parallel-size', String(shared), ...argv),
  config: config(ranks / shared, microBatch, zero, more),
  ...(argv.includes('--bf16')
    ? {}
    : { like: more['gradient_clipping'] === undefined ? 'one-rank' : 'one-rank-clipped' }),
});

const ulysses = { stage: 3, overlap_comm: false };
/** The mode's JSON without `super_offload`, which is for NVIDIA GPUs. */
const prismUlysses = {
  ...ulysses,
  reduce_bucket_size: 1e8,
  sub_group_size: 1e8,
  offload_param: { device: 'cpu' },
  offload_optimizer: { device: 'cpu', ratio: 0.99 },
};

/** What long sequences need, all of it: chunks that divide no stretch of tokens. */
const longSequence = '--checkpoint-activations --checkpoint-in-cpu --loss-chunk 13'.split(' ');

export const sharers: readonly TrainerCase[] = [
  sharing('prism_ulysses-2-accumulation-2', 2, 2, 4, prismUlysses),
  sharing('prism_ulysses-4', 4, 4, 8, prismUlysses, ['--attention', 'unfused']),
  sharing('prism_ulysses-2x2-long-clipped', 4, 2, 4, prismUlysses, longSequence, { gradient_clipping: 0.1 }),
  sharing('ulysses-2-long', 2, 2, 8, ulysses, longSequence),
  sharing('prism_overlap-2-long-accumulation-2-clipped', 2, 2, 4, overlapZero(0.5), longSequence, {
    ...asked,
    gradient_clipping: 0.1,
  }),
  sharing('ulysses-without-reduce_scatter-2', 2, 2, 8, { ...ulysses, reduce_scatter: false }),
  sharing('zero_offload-2x2-accumulation-2-clipped', 4, 2, 2, zeroOffload, [], { gradient_clipping: 0.1 }),
  sharing('ddp-2', 2, 2, 8, { stage: 0 }),
];

/** The loss in 16 bits, in chunks. */
export const sharerInBf16 = sharing(
  'ulysses-bf16-2',
  2,
  2,
  8,
  ulysses,
  ['--bf16', '--fp16-lm-cross-entropy', ...longSequence],
  { bf16: { enabled: true } },
);

export const sixteenBit: readonly TrainerCase[] = [
  bf16('ddp', 2, { stage: 0 }),
  bf16('zero_1', 1, { stage: 1 }),
  bf16('zero_2', 1, { stage: 2 }),
  bf16('zero_3', 2, { stage: 3 }),
  bf16('prism_overlap', 1, overlapZero(1), asked),
];

const wrong: readonly TrainerCase[] = [
  {
    name: 'faults',
    ranks: 2,
    argv: [...tiny(4, 2, '--fp16'), '--markov-states', '5000'],
    config: { ...config(1, 8, zeroOffload), optimizer: { type: 'AdamW' }, bf16: { enabled: true } },
  },
  {
    name: 'heads',
    ranks: 1,
    argv: [...tiny(4, 8), '--num-attention-heads', '3'],
    config: config(1, 8, zeroOffload),
  },
  {
    name: 'sharing-faults',
    ranks: 2,
    argv: tiny(
      4,
      8,
      ...'--ds-sequence-parallel-size 3 --checkpoint-in-cpu --fp16-lm-cross-entropy --loss-chunk -1'.split(
        ' ',
      ),
    ),
    config: config(1, 8, ulysses),
  },
  {
    name: 'fp16',
    ranks: 1,
    argv: tiny(2, 8, '--fp16'),
    config: config(1, 8, { stage: 1 }, { fp16: { enabled: true } }),
  },
];

export const cases: readonly TrainerCase[] = [
  reference('adamw', 50),
  reference('adamw-other-decay', 50, ['--weight-decay', '0.09']),
  reference('adamw-clipped', 50, [], 0.1),
  reference('adamw-short', 4),
  reference('adamw-shared', sharedSteps),
  reference('adamw-shared-clipped', sharedSteps, [], 0.1),
  ...followers,
  ...overlapping,
  { name: 'one-rank', ranks: 1, argv: tiny(sharedSteps, 8), config: config(1, 8, { stage: 1 }) },
  {
    name: 'one-rank-clipped',
    ranks: 1,
    argv: tiny(sharedSteps, 8),
    config: config(1, 8, { stage: 1 }, { gradient_clipping: 0.1 }),
  },
  ...sharers,
  sharerInBf16,
  fp32('zero_offload-clipped', 1, 1, zeroOffload, [], { gradient_clipping: 0.1 }),
  {
    name: 'batch-left-out',
    ranks: 1,
    argv: tiny(4, 2),
    config: { train_batch_size: globalBatch, gradient_clipping: 0, zero_optimization: { stage: 1 } },
  },
  ...sixteenBit,
  ...wrong,
  {
    name: 'entropy',
    ranks: 1,
    argv: [
      ...'--num-layers 1 --hidden-size 64 --num-attention-heads 2 --seq-length 64'.split(' '),
      ...'--vocab-size 256 --init-method-std 0.02 --micro-batch-size 8 --global-batch-size 8'.split(' '),
      ...'--train-iters 150 --lr 1e-2 --min-lr 1e-3 --weight-decay 0.01 --markov-states 64'.split(' '),
    ],
    config: config(1, 8, zeroOffload),
  },
];
