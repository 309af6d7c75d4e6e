import { modes } from '../../../src/core/deepspeed/modes/registry.ts';
import type { Case, ModeName } from '../../../src/core/experiment/case.ts';
import { sampleCase } from '../sample-case.ts';

const sizes = {
  '5B': { name: '5B', layers: 44, hidden: 3072, heads: 32, paddedVocabulary: 50432 },
  '13B': { name: '13B', layers: 65, hidden: 4096, heads: 32, paddedVocabulary: 50432 },
  '25B': { name: '25B', layers: 30, hidden: 8192, heads: 32, paddedVocabulary: 50432 },
  '80B': { name: '80B', layers: 100, hidden: 8192, heads: 32, paddedVocabulary: 50432 },
} as const;

/** A case of the published artifact: fp16 with clipping, GPT-2's text and tokenizer, attention as its script has it. */
function published(mode: ModeName, change: Partial<Case>): Case {
  return sampleCase({
    workload: 'megatron',
    mode,
    ratio: modes[mode].defaultRatio,
    dtype: 'fp16',
    gradientClipping: 1,
    dropout: 0.1,
    attention: 'unfused',
    steps: 100,
    dataPath: '/datasets/gpt2_text_document',
    vocabFile: '/datasets/gpt2-vocab.json',
    mergeFile: '/datasets/gpt2-merges.txt',
    ...change,
  });
}

/** Every experiment of the artifact, with the batches that its ranks can share. */
export const artifactCases: Readonly<Record<string, Case>> = {
  'throughput-1': published('zero_offload', { activationCheckpointing: true }),
  'throughput-4': published('prism', {
    chips: 4,
    globalBatch: 16,
    microBatch: 4,
    model: sizes['5B'],
    activationCheckpointing: true,
  }),
  'throughput-16': published('zero_infinity', {
    chips: 16,
    globalBatch: 128,
    microBatch: 8,
    sequenceLength: 2048,
    model: sizes['80B'],
  }),
  'model_size-1': modelSize('prism', 1, '25B'),
  'model_size-4': modelSize('zero_offload', 4, '25B'),
  'model_size-16': modelSize('zero_infinity', 16, '80B'),
  'sequence_length-4': sequenceLength('ulysses', 4, 32_768),
  'sequence_length-4-batch': {
    ...sequenceLength('prism_ulysses', 4, 131_072),
    activationCheckpointing: true,
    activationOffload: true,
    attention: 'sdpa',
    fp16LmCrossEntropy: true,
  },
  'sequence_length-8': sequenceLength('prism_ulysses', 8, 65_536),
};

function modelSize(mode: ModeName, chips: number, size: keyof typeof sizes): Case {
  const model = sizes[size];
  const batch = { chips, microBatch: 1, globalBatch: chips };
  return published(mode, { ...batch, sequenceLength: 2048, model, activationCheckpointing: true });
}

function sequenceLength(mode: ModeName, chips: number, tokens: number): Case {
  return published(mode, {
    chips,
    sequenceParallel: chips,
    microBatch: 1,
    globalBatch: 1,
    sequenceLength: tokens,
    model: sizes['13B'],
  });
}
