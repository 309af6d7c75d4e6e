import type { Case } from '../../src/core/experiment/case.ts';

/** The paper's 2B on one chip, bf16: what tests change one field of. */
export function sampleCase(change: Partial<Case> = {}): Case {
  return {
    experiment: 'throughput',
    workload: 'builtin',
    mode: 'zero_offload',
    model: { name: '2B', layers: 40, hidden: 2048, heads: 32, paddedVocabulary: 50432 },
    chips: 1,
    sequenceParallel: 1,
    microBatch: 8,
    globalBatch: 8,
    gradientAccumulation: 1,
    sequenceLength: 1024,
    activationCheckpointing: false,
    activationOffload: false,
    attention: 'sdpa',
    fp16LmCrossEntropy: false,
    dtype: 'bf16',
    ratio: null,
    gradientClipping: 0,
    dropout: 0,
    steps: 30,
    seed: 1234,
    dataPath: null,
    vocabFile: null,
    mergeFile: null,
    deepspeedOverrides: {},
    ...change,
  };
}
