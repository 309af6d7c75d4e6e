import type { Case } from '../experiment/case.ts';
import { flags } from './flags.ts';
import { lossChunkOf } from './loss-chunk.ts';
import type { Workload } from './workload.ts';

/** The built-in trainer (experiment/trainer), with Megatron's argument names. */
export const builtinWorkload: Workload = {
  name: 'builtin',
  program: (subject, paths) => [
    `${paths.trainer}/train.py`,
    ...flags({
      'num-layers': subject.model.layers,
      'hidden-size': subject.model.hidden,
      'num-attention-heads': subject.model.heads,
      'vocab-size': subject.model.paddedVocabulary,
      'make-vocab-size-divisible-by': 1,
      'seq-length': subject.sequenceLength,
      'micro-batch-size': subject.microBatch,
      'global-batch-size': subject.globalBatch,
      'train-iters': subject.steps,
      seed: subject.seed,
    }),
    ...(subject.dtype === 'fp32' ? [] : [`--${subject.dtype}`]),
    ...longSequenceFlags(subject),
    ...(subject.dropout === 0
      ? []
      : flags({ 'hidden-dropout': subject.dropout, 'attention-dropout': subject.dropout })),
    ...(subject.dataPath === null ? [] : ['--data-path', subject.dataPath]),
    '--deepspeed_config',
    paths.deepspeedConfig,
    '--stop-file',
    paths.stopFile,
  ],
  env: () => ({}),
};

/** What shares the memory of a sequence or saves it; each flag only where it changes something. */
function longSequenceFlags(subject: Case): string[] {
  const { sequenceParallel, attention } = subject;
  const lossChunk = lossChunkOf(subject);
  return [
    ...(sequenceParallel === 1 ? [] : flags({ 'ds-sequence-parallel-size': sequenceParallel })),
    ...(attention === 'sdpa' ? [] : flags({ attention })),
    ...(subject.activationCheckpointing ? ['--checkpoint-activations'] : []),
    ...(subject.activationOffload ? ['--checkpoint-in-cpu'] : []),
    ...(subject.fp16LmCrossEntropy ? ['--fp16-lm-cross-entropy'] : []),
    ...(lossChunk === null ? [] : flags({ 'loss-chunk': lossChunk })),
  ];
}
