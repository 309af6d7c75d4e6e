import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import { fairnessOf, unfairness } from '../../../src/core/results/fairness.ts';
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

describe('the whole list of what must be alike', () => {
  const record = (change: Partial<RunRecord>): RunRecord => ({ ...a, ...change });
  const gpu = {
    ...{ smClockMhz: 1980, maxSmClockMhz: 1980, powerCapWatt: 700, maxTemperatureC: 50, throttleReasons: [] },
    samples: 9,
  };
  const offloading = (memory: string, casts: string, optimizer = 'published'): RunRecord =>
    record({ facts: { 'host memory': memory, casts, 'offload optimizer': optimizer } });
  const onGpu = (change: Partial<typeof gpu>): RunRecord =>
    record({ conditions: { ...a.conditions, cpuAdamThreads: 16, gpu: { ...gpu, ...change } } });
  const said = (facts: Record<string, string>): RunRecord => record({ facts });
  const bound = (binding: 'none' | 'numactl', hostNumaNodes: number[] | null = null): RunRecord =>
    record({ placement: { binding, hostNumaNodes, exclusiveHost: false, hostGiB: null, machine: null } });
  const clipped = (clipRate: number): RunRecord => ({ ...withCase({ gradientClipping: 1 }), clipRate });

  it.each<[string[], RunRecord, RunRecord]>([
    [['ratio 0.9 against 0.5'], withCase({ ratio: 0.9 }), withCase({ ratio: 0.5 })],
    [['skipped steps 0 of 30 against 3 of 30'], a, record({ skippedIterations: 3 })],
    [['clip rate 10% against 60%'], clipped(0.1), clipped(0.6)],
    [[], clipped(0.1), clipped(0.14)],
    [['DeepSpeed 0.19.8 against 0.19.9'], said({ deepspeed: '0.19.8' }), said({ deepspeed: '0.19.9' })],
    [['torch 2.15.0 against 2.11.0+cu130'], a, said({ torch: '2.11.0+cu130' })],
    [['tied head true against false'], a, said({ 'untie embeddings and output weights': 'True' })],
    [[], a, said({ 'untie embeddings and output weights': 'False' })],
    [['parameters 2.120e9 against 2.223e9'], a, said({ parameters: '2223000000' })],
    [[], a, said({ parameters: '2119716864' })],
    [
      ['FLOP formula megatron-full-attention against other'],
      a,
      record({ throughput: { ...a.throughput, formula: 'other' } }),
    ],
    [['data generated against /data/text'], a, withCase({ dataPath: '/data/text' })],
    [['system h200 against gh200'], a, record({ system: { ...a.system, name: 'gh200' } })],
    [['power cap 700 against 500 W'], onGpu({}), onGpu({ powerCapWatt: 500 })],
    [['GPU clock 1980 against 1500 MHz'], onGpu({}), onGpu({ smClockMhz: 1500 })],
    [[], onGpu({}), onGpu({ smClockMhz: 1935 })],
    [['binding none against numactl, host memory of nodes 0 1'], bound('none'), bound('numactl', [0, 1])],
    [
      ['Adam threads 16 against 4'],
      onGpu({}),
      record({ conditions: { ...a.conditions, cpuAdamThreads: 4, gpu } }),
    ],
    [[], onGpu({}), record({ facts: { 'adam threads': 'none' }, conditions: { ...a.conditions, gpu } })],
    [
      ['host memory published against registered', 'casts published against fused'],
      offloading('published', 'published'),
      offloading('registered', 'fused'),
    ],
    [[], offloading('published', 'published'), offloading('registered', 'fused', 'overlap')],
    [[], a, offloading('registered', 'fused')],
    // Twice the batch in twice the micro-batches is said once.
    [['global batch 8 against 16'], a, withCase({ globalBatch: 16, gradientAccumulation: 2 })],
    [['accumulation 1 against 2'], a, withCase({ gradientAccumulation: 2 })],
  ])('%j', (reasons, left, right) => {
    expect(unfairness(left, right)).toEqual(reasons);
  });

  it('says what nobody knows, and is not silent', () => {
    const old = {
      ...withCase({ gradientClipping: 1 }),
      clipRate: null,
      placement: undefined,
    } as unknown as RunRecord;
    expect(fairnessOf(old, old).unknown).toEqual([
      'clip rate',
      'binding',
      'Adam threads',
      'power cap',
      'GPU clock',
      'environment',
    ]);
    expect(fairnessOf(a, a).unknown).not.toContain('clip rate');
  });

  it('is the same from both sides', () => {
    const b = { ...withCase({ dtype: 'fp16', lossChunk: 512 }), worldSize: 3 };
    const turned = fairnessOf(b, a).differences.map((each) => ({ ...each, a: each.b, b: each.a }));
    expect(turned).toEqual(fairnessOf(a, b).differences);
  });
});
