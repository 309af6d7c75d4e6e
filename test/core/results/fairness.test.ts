import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import { unfairness } from '../../../src/core/results/fairness.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { samplePlan } from '../sample-plan.ts';
import { goodLog, recordOf } from '../sample-record.ts';

const a = recordOf(goodLog());
const withCase = (change: Partial<Case>): RunRecord => recordOf(goodLog(), { plan: samplePlan(change) });

describe('unfairness', () => {
  it('finds nothing between a run and itself, and nothing in another mode alone', () => {
    expect(unfairness(a, a)).toEqual([]);
    expect(unfairness(a, withCase({ mode: 'prism', ratio: 0.9 }))).toEqual([]);
  });

  it.each<[string, RunRecord]>([
    ['dtype bf16 against fp16', withCase({ dtype: 'fp16' })],
    ['clipping 0 against 1', withCase({ gradientClipping: 1 })],
    ['recomputation false against true', withCase({ activationCheckpointing: true })],
    ['global batch 8 against 16', withCase({ globalBatch: 16 })],
    ['micro-batch 8 against 4', withCase({ microBatch: 4 })],
    ['sequence 1024 against 2048', withCase({ sequenceLength: 2048 })],
    ['dropout 0 against 0.1', withCase({ dropout: 0.1 })],
    ['chips 1 against 2', withCase({ chips: 2 })],
    ['stack abc123 against other', { ...a, stack: { ...a.stack!, hash: 'other' } }],
    ['attention sdpa against flash', { ...a, facts: { attention: 'flash' } }],
    ['workload builtin against megatron', withCase({ workload: 'megatron' })],
    ['attention sdpa against unfused', withCase({ attention: 'unfused' })],
    ['sequence-parallel 1 against 2', withCase({ sequenceParallel: 2 })],
    ['activation offload false against true', withCase({ activationOffload: true })],
    ['16-bit loss false against true', withCase({ fp16LmCrossEntropy: true })],
    ['loss chunk by rule against 512', withCase({ lossChunk: 512 })],
  ])('says: %s', (reason, b) => {
    expect(unfairness(a, b)).toEqual([reason]);
  });

  it.each([
    [10, 11.1, []],
    [10, 11.2, ['GPU memory 10.0 against 11.2 GiB']],
    [11.2, 10, ['GPU memory 11.2 against 10.0 GiB']],
    [10, null, []],
    [0, 0, []],
  ])('GPU memory %s against %s: %j', (left, right, reasons) => {
    const using = (gpuAllocatedGiB: number | null): RunRecord => ({
      ...a,
      memory: { ...a.memory, gpuAllocatedGiB },
    });
    expect(unfairness(using(left), using(right))).toEqual(reasons);
  });

  it('names every difference', () => {
    expect(unfairness(a, withCase({ dtype: 'fp32', dropout: 0.1 }))).toHaveLength(2);
  });
});
