/** The arguments and the DeepSpeed JSON of runs so small that many of them are judged in a test. */

export const globalBatch = 8;
/** Arguments of a GPT so small that 50 steps take a second: 2 layers, hidden 32, sequence 32, vocabulary 256. */
export const tiny = (iterations: number, microBatch: number, ...more: string[]): string[] => [
  ...'--num-layers 2 --hidden-size 32 --num-attention-heads 4 --seq-length 32'.split(' '),
  ...'--vocab-size 250 --make-vocab-size-divisible-by 256 --init-method-std 0.02 --lr 5e-3'.split(' '),
  ...['--global-batch-size', String(globalBatch), '--micro-batch-size', String(microBatch)],
  ...['--train-iters', String(iterations)],
  ...more,
];

/** Steps of the runs whose ranks share sequences, and of the overlap optimizer. */
export const sharedSteps = 20;

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
