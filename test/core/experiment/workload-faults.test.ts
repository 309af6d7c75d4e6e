import { describe, expect, it } from 'vitest';
import { caseWorkloadNames, type Case } from '../../../src/core/experiment/case.ts';
import { workloadFaults } from '../../../src/core/experiment/workload-faults.ts';
import { resolveBatch } from '../../../src/core/model/batch.ts';
import { sampleCase } from '../sample-case.ts';

const faults = (change: Partial<Case>): string[] =>
  workloadFaults(sampleCase(change)).map(
    ({ place, problem, expected }) => `${place}: ${problem} (${expected ?? ''})`,
  );

describe.each(caseWorkloadNames)('sequences that ranks share, %s', (workload) => {
  const shared = { workload, mode: 'ulysses', chips: 4, sequenceParallel: 4 } as const;

  it('need heads and tokens that the degree divides, each named by its flag', () => {
    expect(faults(shared)).toEqual([]);
    expect(faults({ ...shared, chips: 6, sequenceParallel: 6, sequenceLength: 1025 })).toEqual([
      '--sequence-parallel: 6 ranks cannot share the 32 heads of 2B (a divisor of 32)',
      '--sequence-length: 1025 tokens cannot be shared by 6 ranks (a multiple of 6)',
    ]);
  });

  it('are what the Ulysses modes are about; every other mode may have them', () => {
    expect(faults({ ...shared, chips: 1, sequenceParallel: 1 })).toEqual([
      '--mode ulysses: needs chips that share each sequence (--sequence-parallel N, the number of chips that share a sequence)',
    ]);
    for (const mode of ['prism', 'zero_offload', 'ddp'] as const) {
      expect(faults({ ...shared, mode })).toEqual([]);
    }
  });

  it('offload only what recomputation keeps', () => {
    const offload = { ...shared, activationOffload: true };
    expect(faults(offload)).toEqual([
      '--activation-offload: moves what activation checkpointing keeps (--activation-checkpointing beside it)',
    ]);
    expect(faults({ ...offload, activationCheckpointing: true })).toEqual([]);
  });
});

describe('the loss', () => {
  it('is in 16 bits where numbers are: any for the built-in trainer, fp16 for Megatron', () => {
    const asked = { fp16LmCrossEntropy: true };
    expect(faults(asked)).toEqual([]);
    expect(faults({ ...asked, dtype: 'fp16' })).toEqual([]);
    expect(faults({ ...asked, dtype: 'fp32' })).toEqual([
      '--fp16-lm-cross-entropy: is for 16-bit numbers, and this is fp32 (--dtype bf16 or fp16 beside it)',
    ]);
    expect(faults({ ...asked, workload: 'megatron' })).toHaveLength(1);
  });

  it('is in chunks for the built-in trainer alone', () => {
    expect(faults({ lossChunk: 512 })).toEqual([]);
    expect(faults({ lossChunk: 512, workload: 'megatron' })[0]).toMatch(/^--loss-chunk: /);
  });
});

it('chips that the degree does not divide are the fault of --sequence-parallel', () => {
  expect(resolveBatch({ chips: 2, sequenceParallel: 3, microBatch: 1 })).toMatchObject({
    ok: false,
    faults: [{ place: '--sequence-parallel', expected: expect.stringContaining('a divisor of 2') as string }],
  });
});
