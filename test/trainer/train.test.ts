import { beforeAll, describe, expect, test } from 'vitest';
import { fieldValues, losses, runCases } from './cases.ts';
import type { TrainerResult } from './cases.ts';
import { cases, followers, sharerInBf16, sharers, sixteenBit } from './matrix.ts';
import { overlapping } from './overlap-cases.ts';

let results: ReadonlyMap<string, TrainerResult>;
const result = (name: string): TrainerResult => {
  const found = results.get(name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
};

/** The losses of a run that ended as it meant to. */
const lossesOf = (name: string): number[] => {
  const { codes, stdout, stderr } = result(name);
  expect(
    codes.every((code) => code === 0),
    stderr,
  ).toBe(true);
  expect(stdout).toContain(' training finished | iterations: ');
  return losses(stdout);
};

const largestGap = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((loss, i) => Math.abs(loss - (b[i] ?? Number.NaN))));

beforeAll(async () => {
  results = await runCases(cases);
});

describe('fp32 follows plain AdamW for 50 steps', () => {
  test.each(followers.map(({ name }) => name))('%s', (name) => {
    const reference = lossesOf('adamw');
    expect(reference).toHaveLength(50);
    expect(largestGap(lossesOf(name), reference)).toBeLessThan(1e-4);
  });

  test('clipped too', () => {
    expect(largestGap(lossesOf('zero_offload-clipped'), lossesOf('adamw-clipped'))).toBeLessThan(1e-4);
  });

  test('and the tolerance is narrow enough to show a tenth of the weight decay missing, or clipping', () => {
    expect(largestGap(lossesOf('adamw-other-decay'), lossesOf('adamw'))).toBeGreaterThan(1e-4);
    expect(largestGap(lossesOf('adamw-clipped'), lossesOf('adamw'))).toBeGreaterThan(1e-4);
  });

  test('also where the JSON leaves the micro-batch out, which DeepSpeed alone would guess wrong', () => {
    expect(largestGap(lossesOf('batch-left-out'), lossesOf('adamw-short'))).toBeLessThan(1e-4);
  });
});

describe('prism_overlap follows plain AdamW', () => {
  test.each(overlapping.map(({ name }) => name))('%s', (name) => {
    const reference = name.endsWith('clipped') ? 'adamw-shared-clipped' : 'adamw-shared';
    expect(largestGap(lossesOf(name), lossesOf(reference))).toBeLessThan(1e-5);
    expect(fieldValues(result(name).stdout, 'offload optimizer')).toEqual(['overlap']);
  });
});

describe('ranks that share sequences follow one rank', () => {
  const gradNorms = (name: string): number[] => fieldValues(result(name).stdout, 'grad norm').map(Number);

  test.each(sharers.map(({ name }) => name))('%s', (name) => {
    const [reference, one] = name.endsWith('clipped')
      ? ['adamw-shared-clipped', 'one-rank-clipped']
      : ['adamw-shared', 'one-rank'];
    expect(lossesOf(reference)).toHaveLength(20);
    expect(largestGap(lossesOf(name), lossesOf(reference))).toBeLessThan(1e-5);
    expect(result(name).weightGap).toBeLessThan(5e-5);
    // Adam takes the same steps whatever its gradients are multiplied by: the norm shows that they are not.
    const norms = gradNorms(name);
    if (name.startsWith('ddp')) expect(norms).toEqual([]);
    else expect(largestGap(norms, gradNorms(one))).toBeLessThan(2e-3);
  });

  test('in 16 bits with chunks of the loss too, near fp32', () => {
    expect(largestGap(lossesOf(sharerInBf16.name), lossesOf('adamw-shared'))).toBeLessThan(4e-3);
  });

  test('what is said of them', () => {
    const { stdout } = result('prism_ulysses-2x2-long-clipped');
    const fact = (name: string) => fieldValues(stdout, name)[0];
    expect(fact('world size')).toBe('4');
    expect(fact('data-parallel size')).toBe('2');
    expect(fact('sequence-parallel size')).toBe('2');
    expect(fact('attention')).toBe('sdpa');
    expect(fieldValues(result('prism_ulysses-4').stdout, 'attention')).toEqual(['unfused']);
    expect(fieldValues(stdout, 'consumed samples').at(-1)).toBe('160');
    expect(fieldValues(stdout, 'consumed tokens').at(-1)).toBe(String(160 * 32));
  });
});

test('the loss comes within 10% of the entropy of the data', () => {
  const entropy = Number(fieldValues(result('entropy').stdout, 'data entropy (nats)')[0]);
  const curve = lossesOf('entropy');
  const last = curve.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10;
  expect(curve[0]).toBeGreaterThan(4 * entropy);
  expect(last).toBeLessThan(1.1 * entropy);
  expect(last).toBeGreaterThan(0.97 * entropy); // below it, the chain's entropy would be wrong
});

describe('bf16', () => {
  test.each(sixteenBit.map(({ name }) => name))('%s stays near fp32', (name) => {
    expect(largestGap(lossesOf(name), lossesOf('adamw-short'))).toBeLessThan(2e-3);
    expect(fieldValues(result(name).stdout, 'dtype')).toEqual(['bf16']);
  });
});

describe('what is printed', () => {
  test('the facts of the run', () => {
    const { stdout } = result('zero_infinity-2-ranks-accumulation-4');
    const fact = (name: string) => fieldValues(stdout, name)[0];
    // 2 layers of 12 h^2 + 13 h, token and position embeddings, the last layer norm; the head is tied.
    expect(fact('parameters')).toBe(String(2 * (12 * 32 ** 2 + 13 * 32) + 256 * 32 + 32 * 32 + 2 * 32));
    expect(fact('world size')).toBe('2');
    expect(fact('zero stage')).toBe('3');
    expect(fact('dtype')).toBe('fp32');
    expect(fact('accelerator')).toBe('cpu');
    expect(fact('adam threads')).toBe('1');
    expect(fact('super offload')).toBe('false');
    expect(fact('deepspeed')).toMatch(/^\d+\.\d+/);
    expect(fact('torch')).toMatch(/^\d+\.\d+/);
    expect(Number(fact('cores'))).toBeGreaterThan(0);
    expect(fact('device')).not.toBe('');
  });

  test('the fields of a step, and hardware TFLOPs by the formula', () => {
    const plain = result('zero_offload-1-rank-accumulation-1').stdout;
    const checkpointed = result('zero_infinity-2-ranks-accumulation-1-checkpointed').stdout;
    for (const [log, ranks, passes] of [
      [plain, 1, 3],
      [checkpointed, 2, 4],
    ] as const) {
      const [b, s, h, layers, vocabulary] = [8, 32, 32, 2, 256];
      const forwardMacs =
        b * layers * (4 * h * h * s + 2 * h * s * s + 2 * 4 * h * h * s) + b * vocabulary * h * s;
      const stepMs = Number(fieldValues(log, 'elapsed time per iteration (ms)').at(-1));
      const logged = Number(fieldValues(log, 'TFLOPs').at(-1));
      expect(Math.abs(logged - (2 * passes * forwardMacs) / (stepMs * 1e9 * ranks))).toBeLessThan(6e-5);
      expect(Number(fieldValues(log, 'samples per second').at(-1))).toBeCloseTo(8000 / stepMs, -1);
      expect(fieldValues(log, 'consumed samples').at(-1)).toBe('400');
      expect(fieldValues(log, 'learning rate').at(-1)).toBe('1.000E-05');
      expect(fieldValues(log, 'number of skipped iterations')).toEqual(Array(50).fill('0'));
    }
    expect(fieldValues(checkpointed, 'grad norm')).toHaveLength(50);
  });

  test('host memory, and no GPU memory on a CPU', () => {
    const one = result('zero_offload-1-rank-accumulation-1').stdout;
    const two = result('zero_offload-2-ranks-accumulation-1').stdout;
    expect(fieldValues(one, 'gpu allocated (GiB)')).toEqual(['none']);
    const [source] = fieldValues(one, 'host source');
    expect(['pss', 'cgroup']).toContain(source);
    const hostGiB = (log: string) => Number(fieldValues(log, 'host (GiB)')[0]);
    expect(hostGiB(one)).toBeGreaterThan(0.1);
    // No more than that: a page of a library counts less, the more processes of others have it too.
    expect(hostGiB(two)).toBeGreaterThan(0.1);
  });
});

describe('arguments and JSON that do not agree', () => {
  test('are one message for each fault, on every rank, before anything starts', () => {
    const { codes, stdout, stderr } = result('faults');
    expect(codes).toEqual([1, 1]);
    expect(stdout).toBe('');
    const lines = stderr.trim().split('\n');
    expect(lines.every((line) => line.startsWith('config error: '))).toBe(true);
    const faults = [
      /markov-states 5000: expected 2 to 256/,
      /bf16\.enabled is True, the arguments give False/,
      /fp16\.enabled is False, the arguments give True/,
      /gradient_accumulation_steps is 1, the arguments give 2/,
      /train_micro_batch_size_per_gpu is 8, the arguments give 2/,
      /optimizer is set/,
    ];
    for (const fault of faults) expect(stderr).toMatch(fault);
    expect(lines).toHaveLength(faults.length);
    expect(result('heads').stderr).toBe('config error: --hidden-size 32 is not divisible by 3 heads\n');
  });

  test('also of ranks that share sequences', () => {
    const { codes, stderr } = result('sharing-faults');
    expect(codes).toEqual([1, 1]);
    const faults = [
      /checkpoint-in-cpu moves what --checkpoint-activations keeps/,
      /fp16-lm-cross-entropy is for the 16 bits of/,
      /loss-chunk -1: expected a number of tokens/,
      /size 3 does not divide the 2 ranks/,
      /size 3 does not divide the 4 --num-attention-heads/,
      /size 3 does not divide the 32 --seq-length/,
    ];
    for (const fault of faults) expect(stderr).toMatch(fault);
    expect(stderr.trim().split('\n')).toHaveLength(faults.length);
  });

  test('fp16 on a CPU without it is one message', () => {
    const { codes, stdout, stderr } = result('fp16');
    if (codes[0] === 0) expect(fieldValues(stdout, 'dtype')).toEqual(['fp16']);
    else expect(stderr).toMatch(/^config error: --fp16: .* has no fp16 to compute with; use --bf16\n$/);
  });
});
