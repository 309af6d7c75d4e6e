/** The runs that train.test.ts judges; all in one Python start (run_cases.py). */
import type { TrainerCase } from './cases.ts';

export const globalBatch = 8;
/** Arguments of a GPT so small that 50 steps take a second: 2 layers, hidden 32, sequence 32, vocabulary 256. */
export const tiny = (iterations: number, microBatch: number, ...more: string[]): string[] => [
  ...'--num-layers 2 --hidden-size 32 --num-attention-heads 2 --seq-length 32'.split(' '),
  ...'--vocab-size 250 --make-vocab-size-divisible-by 256 --init-method-std 0.02 --lr 5e-3'.split(' '),
  ...['--global-batch-size', String(globalBatch), '--micro-batch-size', String(microBatch)],
  ...['--train-iters', String(iterations)],
  ...more,
];

const cpuOptimizer = { offload_optimizer: { device: 'cpu' } };
export const zeroOffload = { stage: 2, ...cpuOptimizer };
const zeroInfinity = { stage: 3, ...cpuOptimizer };
/** As the artifact's file has it: every weight stays gathered. */
const persistent = { stage3_param_persistence_threshold: 1e12, stage3_model_persistence_threshold: 1e12 };

/** The DeepSpeed JSON of one case, consistent with its arguments. */
export function config(
  ranks: number,
  microBatch: number,
  zero: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    train_batch_size: globalBatch,
    train_micro_batch_size_per_gpu: microBatch,
    gradient_accumulation_steps: globalBatch / microBatch / ranks,
    gradient_clipping: 0,
    zero_optimization: zero,
    ...more,
  };
}

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

const bf16 = (name: string, ranks: number, zero: Readonly<Record<string, unknown>>): TrainerCase => ({
  name,
  ranks,
  argv: tiny(4, 4, '--bf16'),
  config: config(ranks, 4, zero, { bf16: { enabled: true } }),
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

export const sixteenBit: readonly TrainerCase[] = [
  bf16('ddp', 2, { stage: 0 }),
  bf16('zero_1', 1, { stage: 1 }),
  bf16('zero_2', 1, { stage: 2 }),
  bf16('zero_3', 2, { stage: 3 }),
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
];

export const cases: readonly TrainerCase[] = [
  reference('adamw', 50),
  reference('adamw-other-decay', 50, ['--weight-decay', '0.09']),
  reference('adamw-clipped', 50, [], 0.1),
  reference('adamw-short', 4),
  ...followers,
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
