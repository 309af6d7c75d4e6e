import { describe, expect, it } from 'vitest';
import { tflopsPerGpu } from '../../../src/core/model/shape.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import { sampleCase } from '../sample-case.ts';
import { samplePlan, sampleSystem } from '../sample-plan.ts';
import { finishedLine, goodLog, iterationLines, recordOf } from '../sample-record.ts';

const peakLine =
  ' peak memory | gpu allocated (GiB): 29.10 | gpu reserved (GiB): 31.00 | host (GiB): 60.0 | host source: pss |';
const factsLine = ' run facts | attention: sdpa | adam threads: 16 |';

describe('buildRecord', () => {
  it('computes throughput from the median step, by the named formula', () => {
    const record = recordOf(goodLog());
    const expected = tflopsPerGpu({
      shape: sampleCase().model,
      globalBatch: 8,
      sequenceLength: 1024,
      stepMs: 1000,
      chips: 1,
      recompute: false,
    });
    expect(record.outcome).toMatchObject({ class: 'ok' });
    expect(record.throughput).toEqual({
      modelTflopsPerGpu: expected.modelTflops,
      hardwareTflopsPerGpu: expected.hardwareTflops,
      formula: expected.formula,
      mfu: expected.modelTflops / 989,
      tokensPerSecond: 8192,
      loggedTflopsPerGpu: null,
    });
    expect(record.stepMs).toHaveLength(30);
    expect(record).toMatchObject({ durationMs: 60_000, lastIteration: 30, recovered: false, firstLoss: 10 });
  });

  it.each([
    [0, ' grad norm: 3.0 |', 0],
    [1, ' grad norm: 3.0 |', 1],
    [3, ' grad norm: 3.0 |', 0],
    [1, '', null],
  ])('clipping at %s with%s: a share of %s of the steps was clipped', (gradientClipping, more, share) => {
    const log = [...iterationLines([1000, 1000, 1000], more), finishedLine];
    expect(recordOf(log, { plan: samplePlan({ gradientClipping }) }).clipRate).toBe(share);
  });

  it('knows its DeepSpeed JSON by what that says, whatever its spaces; a command has none', () => {
    const plan = samplePlan({});
    const text = plan.files['ds_config.json']!;
    const hashOf = (files: Readonly<Record<string, string>>): string | null =>
      recordOf(goodLog(), { plan: { ...plan, files } }).deepspeedHash;
    const hash = hashOf(plan.files);
    expect(hash).toMatch(/^[0-9a-f]{8}$/);
    const turned = Object.fromEntries(Object.entries(JSON.parse(text) as Record<string, unknown>).reverse());
    expect(hashOf({ 'ds_config.json': JSON.stringify(turned) })).toBe(hash);
    expect(hashOf({ 'ds_config.json': text.replace(/\d+/, '77') })).not.toBe(hash);
    expect(hashOf({ 'ds_config.json': '{"cut' })).toMatch(/^[0-9a-f]{8}$/);
    expect(hashOf({})).toBeNull();
  });

  it('has no MFU where the peak is unknown', () => {
    const plan = samplePlan({}, { system: sampleSystem({ peakTflops: null }) });
    expect(recordOf(goodLog(), { plan }).throughput.mfu).toBeNull();
  });

  it('claims nothing of a model it does not know: a command has what its log says', () => {
    const plan = planCommand({
      command: ['x'],
      system: sampleSystem(),
      chips: 1,
      cwd: '/',
      limits: {},
    });
    const log = [
      ...iterationLines([1000, 1000, 1000], ' actual seqlen: 512 | TFLOPs: 30.00 |'),
      finishedLine,
    ];
    expect(recordOf(log, { plan }).throughput).toEqual({
      modelTflopsPerGpu: null,
      hardwareTflopsPerGpu: null,
      formula: null,
      mfu: null,
      tokensPerSecond: (8 * 512) / 1,
      loggedTflopsPerGpu: 30,
    });
  });

  it('has no GPU memory without a GPU, whatever the log calls its memory', () => {
    const plan = samplePlan({}, { system: sampleSystem({ accelerator: 'cpu' }) });
    const { memory } = recordOf([...goodLog(), peakLine], { plan });
    expect(memory).toMatchObject({ gpuAllocatedGiB: null, gpuReservedGiB: null, hostGiB: 60 });
  });

  it("prefers the trainer's own memory peak to the sampled one, and says which it is", () => {
    const memory = { sampledHostGiB: 50, machineGiB: 55 };
    expect(recordOf([...goodLog(), peakLine], { memory }).memory).toEqual({
      gpuAllocatedGiB: 29.1,
      gpuReservedGiB: 31,
      hostGiB: 60,
      hostSource: 'pss',
      machineGiB: 55,
    });
    expect(recordOf(goodLog(), { memory }).memory).toMatchObject({ hostGiB: 50, hostSource: 'pss-sampled' });
    expect(recordOf(goodLog()).memory).toMatchObject({ hostGiB: null, hostSource: null });
  });

  it('knows nothing of an end that nobody saw', () => {
    expect(recordOf(goodLog(), { endedMs: null })).toMatchObject({ endedUtc: null, durationMs: null });
  });

  it('reads facts, and the threads of Adam among them', () => {
    const record = recordOf([factsLine, ...goodLog()]);
    expect(record.facts['attention']).toBe('sdpa');
    expect(record.conditions.cpuAdamThreads).toBe(16);
    expect(recordOf(goodLog()).conditions.cpuAdamThreads).toBeNull();
  });
});

describe('warnings', () => {
  const conditions = { loadAverageBefore: 0, loadAverageAfter: 0, runningTasksBefore: 0, gpu: null };
  const gpu = { smClockMhz: 1200, maxSmClockMhz: 1980, powerCapWatt: 1, maxTemperatureC: 1, samples: 1 };
  const hardware = recordOf(goodLog()).throughput.hardwareTflopsPerGpu!;
  const logging = (tflops: number) => [
    ...iterationLines(
      Array.from({ length: 30 }, () => 1000),
      ` TFLOPs: ${tflops.toFixed(2)} |`,
    ),
    finishedLine,
  ];

  it('finds a run that did something else than its row is called by', () => {
    const facts = (text: string): string[] => [` run facts | ${text} |`, ...goodLog()];
    const told = (mode: 'prism' | 'prism_overlap' | 'zero_offload', text: string): readonly string[] =>
      recordOf(facts(text), { plan: samplePlan({ mode }), conditions }).warnings;
    expect(told('prism', 'zero stage: 3 | super offload: true')).toEqual([]);
    expect(told('prism', 'attention: sdpa')).toEqual([]);
    expect(told('prism', 'zero stage: 3 | super offload: false')).toEqual([
      'the log says super offload false, and true was planned: compare it with nothing',
    ]);
    expect(told('prism_overlap', 'zero stage: 3 | offload optimizer: overlap')).toEqual([]);
    expect(told('prism_overlap', 'zero stage: 3 | offload optimizer: published')).toEqual([
      'the log says offload optimizer published, and overlap was planned: compare it with nothing',
    ]);
    expect(told('zero_offload', 'zero stage: 3 | super offload: false')[0]).toContain('zero stage 3, and 2');
    const megatron =
      'using world size: 1, data-parallel-size: 1, sequence-parallel size: 2, tensor-model-parallel size: 1';
    expect(recordOf([megatron, ...goodLog()], { conditions }).warnings.join()).toContain(
      'sequence-parallel size 2, and 1 was planned',
    );
  });

  it('has none for a quiet run', () => {
    expect(recordOf(goodLog(), { conditions }).warnings).toEqual([]);
    expect(recordOf(logging(hardware * 1.015)).warnings).toEqual([]);
    const capped = { ...gpu, smClockMhz: 1980, throttleReasons: ['software power cap'] };
    expect(recordOf(goodLog(), { conditions: { ...conditions, gpu: capped } }).warnings).toEqual([]);
  });

  it.each([
    ['the log claims', logging(hardware * 1.03), conditions],
    ['the log claims', logging(hardware * 0.97), conditions],
    ['5 other tasks were running on 16 cores', goodLog(), { ...conditions, runningTasksBefore: 5 }],
    [
      'the GPU was throttled (software power cap) to 1200 of 1980 MHz',
      goodLog(),
      { ...conditions, gpu: { ...gpu, throttleReasons: ['software power cap'] } },
    ],
    [
      '2 steps were skipped',
      [
        ...iterationLines([1, 1]).map((line) =>
          line.replace('skipped iterations:   0', 'skipped iterations:   1'),
        ),
        finishedLine,
      ],
      conditions,
    ],
  ])('says: %s', (words, log, given) => {
    const { warnings } = recordOf(log, { conditions: given });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(words);
  });

  it('does not compare figures that the log rounded away', () => {
    const plan = samplePlan({
      model: { name: 'tiny', layers: 1, hidden: 8, heads: 1, paddedVocabulary: 64 },
    });
    expect(recordOf(logging(0.5), { plan }).warnings).toEqual([]);
  });
});

describe('a measurement that is not stable', () => {
  const wandering = Array.from({ length: 40 }, (_, index) => 100 + 40 * ((index * 17) % 2));
  const warned = (stepMs: readonly number[], maxError: number | null): boolean => {
    const plan = { ...samplePlan({ steps: stepMs.length }), maxError };
    return recordOf(goodLog(stepMs), { plan }).warnings.some((warning) => /^not stable after/.test(warning));
  };
  it('says so after its last step, unless nobody asked', () => {
    expect(warned(wandering, 0.02)).toBe(true);
    expect(warned(wandering, null)).toBe(false);
    expect(
      warned(
        Array.from({ length: 40 }, (_, index) => 100 + (index % 3) / 10),
        0.02,
      ),
    ).toBe(false);
  });

  it('says by how much in plain numbers, however much it is', () => {
    const plan = { ...samplePlan({ steps: 40 }), maxError: 0.02 };
    const wild = wandering.map((_, index) => (index % 20 < 9 ? 3000 : 100));
    const { warnings } = recordOf(goodLog(wild), { plan });
    expect(warnings.join()).toMatch(/^not stable after \d+ steps: \+-\d{3,}%, asked 2%/m);
  });
});
