import { modes } from '../deepspeed/modes/registry.ts';
import type { Case } from '../experiment/case.ts';
import { sharedSettings } from '../experiment/settings.ts';
import { vocabularyDivisibleBy } from '../model/shape.ts';
import { flags } from './flags.ts';
import type { Workload, WorkloadPaths } from './workload.ts';

/**
 * pretrain_gpt.py of Megatron-DeepSpeed, branch superoffload, with the arguments of the published scripts in their
 * order, their faults corrected (README, "Differences from the published scripts"). What DeepSpeed's JSON says too
 * comes from {@link sharedSettings}, as it does there.
 */
export const megatronWorkload: Workload = {
  name: 'megatron',
  program: (subject, paths) => [
    `${paths.megatron}/pretrain_gpt.py`,
    ...(subject.attention === 'sdpa' ? ['--use-flash-attn-v2'] : []),
    ...modelFlags(subject),
    ...trainingFlags(subject),
    ...dataFlags(subject, paths),
    ...optimizerFlags(subject),
    // Kernels that only Apex and a CUDA toolkit build; without these flags Megatron asks for them.
    '--no-masked-softmax-fusion',
    '--no-gradient-accumulation-fusion',
    ...deepspeedFlags(subject, paths),
    ...activationFlags(subject),
  ],
  // Read by the stop hook of our patch series, after every iteration.
  env: (paths) => ({ SUPEROFFLOAD_STOP_FILE: paths.stopFile }),
};

function modelFlags(subject: Case): string[] {
  const { model, sequenceLength } = subject;
  return flags({
    'tensor-model-parallel-size': 1,
    'pipeline-model-parallel-size': 1,
    'ds-sequence-parallel-size': sharedSettings(subject).sequenceParallel,
    'num-layers': model.layers,
    'hidden-size': model.hidden,
    'num-attention-heads': model.heads,
    'seq-length': sequenceLength,
    'max-position-embeddings': sequenceLength,
  });
}

/** No evaluation and no checkpoint: both would stand between iterations that are measured. */
function trainingFlags(subject: Case): string[] {
  const { microBatch, globalBatch } = sharedSettings(subject);
  return flags({
    'micro-batch-size': microBatch,
    'global-batch-size': globalBatch,
    'train-iters': subject.steps,
    lr: '5.0e-5',
    'min-lr': '1.0e-5',
    'lr-decay-style': 'cosine',
    'log-interval': 1,
    'eval-iters': 0,
    seed: subject.seed,
  });
}

/**
 * The padded vocabulary is the case's, whatever the tokenizer. NullTokenizer counts one token more than it is told,
 * its end of a document (megatron/tokenizer/tokenizer.py); GPT-2's vocabulary, which pretrain_gpt.py reads unless told
 * otherwise, is padded up to a multiple of the whole.
 * Nothing is evaluated, so all documents are for training: a share too small for one sequence ends the run.
 */
function dataFlags(subject: Case, paths: WorkloadPaths): string[] {
  const { paddedVocabulary } = subject.model;
  const { vocabFile, mergeFile } = subject;
  const tokenizer =
    vocabFile === null || mergeFile === null
      ? flags({
          'tokenizer-type': 'NullTokenizer',
          'vocab-size': paddedVocabulary - 1,
          'make-vocab-size-divisible-by': vocabularyDivisibleBy,
        })
      : flags({
          'vocab-file': vocabFile,
          'merge-file': mergeFile,
          'make-vocab-size-divisible-by': paddedVocabulary,
        });
  return [
    ...flags({ 'data-path': subject.dataPath ?? paths.syntheticData }),
    ...tokenizer,
    // In the run folder: a data set may be read-only, and two runs would write one cache.
    ...flags({ split: '100,0,0', 'data-cache-path': 'data-cache' }),
  ];
}

function optimizerFlags(subject: Case): string[] {
  const { gradientClipping, dtype } = sharedSettings(subject);
  return [
    ...flags({
      'clip-grad': gradientClipping,
      'weight-decay': '0.1',
      'adam-beta1': '0.9',
      'adam-beta2': '0.95',
      'init-method-std': '0.006',
      'hidden-dropout': subject.dropout,
      'attention-dropout': subject.dropout,
    }),
    ...(dtype === 'fp32' ? [] : [`--${dtype}`]),
    ...(subject.fp16LmCrossEntropy ? ['--fp16-lm-cross-entropy'] : []),
    ...(modes[subject.mode].offloadsOptimizer ? ['--cpu-optimizer'] : []),
  ];
}

function deepspeedFlags(subject: Case, paths: WorkloadPaths): string[] {
  return [
    '--deepspeed',
    ...flags({
      deepspeed_config: paths.deepspeedConfig,
      'zero-stage': sharedSettings(subject).zeroStage,
    }),
    '--no-pipeline-parallel',
  ];
}

function activationFlags(subject: Case): string[] {
  if (!subject.activationCheckpointing) return [];
  return [
    '--checkpoint-activations',
    '--deepspeed-activation-checkpointing',
    ...(subject.activationOffload
      ? [
          '--partition-activations',
          '--contigious-checkpointing',
          '--checkpoint-in-cpu',
          ...flags({ 'empty-unused-memory-level': 2 }),
        ]
      : []),
  ];
}
