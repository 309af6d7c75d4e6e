import { describe, expect, it } from 'vitest';
import { unknownRates, plainSite, type System } from '../../../../../src/core/experiment/case.ts';
import type { FigureData, Mark } from '../../../../../src/core/figures/figure-data.ts';
import { systemWithoutRuns } from '../../../../../src/core/figures/figure-system.ts';
import { caseTflops } from '../../../../../src/core/model/shape.ts';
import { base, launches, type Launch } from '../../launches.ts';
import { built, machineOf, markAt, sourceOf } from '../../scene-inputs.ts';

const figure10 = (...given: readonly Launch[]): FigureData =>
  built(10, machineOf(launches(...given)), { showPredicted: false });
const cell = '1chip zero_offload 2B';
const bar = (...given: readonly Launch[]): Mark => markAt(figure10(...given), 'measured', cell);
const small = { microBatch: 2, gradientAccumulation: 4 } as const;
const recomputed = { microBatch: 8, gradientAccumulation: 1, activationCheckpointing: true } as const;

describe('one cell', () => {
  it('of several launches has the interval between them, of one the interval within it', () => {
    const several = bar({ stepMs: 1000 }, { stepMs: 1010 }, { stepMs: 990 });
    expect(several.basis).toBe('95% between 3 launches');
    expect(several.runIds).toHaveLength(3);
    expect(bar({ stepMs: 1000 }).basis).toMatch(/ within one run$/);
  });

  it('says how many launches of it failed, and takes its number of the others', () => {
    const mark = bar({ stepMs: 1000 }, { outcome: 'crash' }, { stepMs: 1000 });
    expect(mark).toMatchObject({ state: 'value', notes: ['1 of 3 launches gave no number: crashed'] });
  });

  it('leaves a launch aside that a person stopped', () => {
    const mark = bar({ stepMs: 1000 }, { stepMs: 5000, outcome: 'interrupted' });
    expect(mark).toMatchObject({ state: 'value', notes: [] });
    expect(mark.runIds).toHaveLength(1);
    expect(bar({ outcome: 'cancelled' }, { stepMs: 900, subject: { mode: 'prism' } })).toMatchObject({
      state: 'stopped',
      notes: [`ended after step ${base.lastIteration}`],
    });
  });

  it('says which launches were made on a busy machine, as compare does', () => {
    const { conditions, system } = base;
    const at = (runningTasksBefore: number | null) => ({
      stepMs: 1000,
      change: { conditions: { ...conditions, runningTasksBefore } },
    });
    const few = Math.floor(system.cores / 4);
    expect(bar(at(few), at(null)).notes).toEqual([]);
    expect(bar(at(few + 2), at(0)).notes).toEqual([
      '1 of 2 launches on a busy machine: tasks of others ran before',
    ]);
    expect(bar(at(system.cores)).notes).toEqual(['on a busy machine: tasks of others ran before']);
  });

  it('says how many of its steps were skipped: they are faster than steps that train', () => {
    const { stepMs } = base;
    const skipping = { stepMs: 1000, change: { skippedIterations: 3 } };
    expect(bar(skipping, { stepMs: 1000 }).notes).toEqual([
      `3 of ${2 * stepMs.length} steps skipped for overflow`,
    ]);
  });

  it('counts a launch with steps whose log just stops as measured, in its number and in its words', () => {
    const cut = {
      stepMs: 1000,
      outcome: 'incomplete',
      change: { exit: { ...base.exit, exitCode: 0 } },
    } as const;
    expect(bar({ stepMs: 1000 }, cut)).toMatchObject({ basis: '95% between 2 launches', notes: [] });
  });

  it.each([
    ['gpu_oom', 'oom', 'gpu'],
    ['host_oom', 'oom', 'host'],
    ['shm_full', 'oom', 'shm'],
    ['crash', 'failed', null],
    ['unsupported', 'unsupported', null],
  ] as const)('that ended by %s alone is drawn as %s', (outcome, state, wall) => {
    expect(bar({ outcome })).toMatchObject({ state, wall, value: null, low: null, high: null });
  });

  it('whose whole batch ran counts by it, whatever a smaller one made', () => {
    const mark = bar({ stepMs: 1000 }, { subject: small, stepMs: 500 });
    expect(mark.notes).toEqual([]);
    expect(mark.value).toBeCloseTo(caseTflops(base.case!, 1001).modelTflops, 0);
  });

  it('whose whole batch did not fit counts by the faster of the rule’s two ways, and says which', () => {
    const whole = { outcome: 'gpu_oom' } as const;
    const slow = { subject: recomputed, stepMs: 2000 };
    expect(bar(whole, { subject: small, stepMs: 1000 }, slow).notes).toEqual(['accumulation 4']);
    expect(bar(whole, { subject: small, stepMs: 3000 }, slow).notes).toEqual(['recomputed']);
    expect(bar(whole, { subject: small, outcome: 'gpu_oom' })).toMatchObject({
      state: 'oom',
      wall: 'gpu',
      notes: [],
    });
    expect(bar(whole, { subject: small, outcome: 'host_oom' })).toMatchObject({
      ...{ state: 'oom', wall: 'gpu' },
      notes: ['a smaller batch is out of host memory'],
    });
  });

  it('takes the newest software, and tells what it left out', () => {
    const old = { ...base.stack!, hash: '0'.repeat(64), torch: '2.9.0' };
    const data = figure10({ stepMs: 500, change: { stack: old } }, { stepMs: 1000 }, { stepMs: 1000 });
    expect(markAt(data, 'measured', cell).basis).toBe('95% between 2 launches');
    expect(data.footnotes.join()).toMatch(
      /Left out: 1 run on another stack: torch 2\.9\.0, DeepSpeed \S+ \(lock 00000000\)/,
    );
  });

  it('does not let a launch that says nothing put older ones aside', () => {
    const next = { ...base.stack!, hash: 'f'.repeat(64) };
    expect(bar({ stepMs: 1000 }, { outcome: 'launch_error', change: { stack: next } }).state).toBe('value');
  });

  it('prefers the settings of the experiment, else has those of the newest with a word', () => {
    const prism = { mode: 'prism', ratio: 0.5 } as const;
    const data = figure10({ subject: { mode: 'prism' }, stepMs: 1000 }, { subject: prism, stepMs: 500 });
    expect(markAt(data, 'measured', '1chip prism 2B').notes).toEqual([]);
    expect(data.footnotes.join()).toMatch(/1 run with ratio 0\.5/);
    const only = markAt(figure10({ subject: prism, stepMs: 500 }), 'measured', '1chip prism 2B');
    expect(only.notes).toEqual(['ratio 0.5']);
  });

  it('of the paper has no other global batch than the paper', () => {
    const data = figure10(
      { stepMs: 1000 },
      { subject: { mode: 'ddp', globalBatch: 4, microBatch: 4 }, stepMs: 500 },
    );
    expect(markAt(data, 'measured', '1chip ddp 2B').state).toBe('not-run');
    expect(data.footnotes.join()).toMatch(/1 run with global batch 4 \(the figure has 8\)/);
  });
});

describe('one picture', () => {
  it('has one dtype: the one of most cells, and says that the other was left out', () => {
    const fp16 = { dtype: 'fp16' } as const;
    const data = figure10(
      { stepMs: 1000 },
      { subject: { mode: 'prism' }, stepMs: 1000 },
      { subject: { ...fp16, mode: 'prism' }, stepMs: 500 },
      { subject: { ...fp16, mode: 'ddp' }, outcome: 'gpu_oom' },
      { subject: { ...fp16 }, stepMs: 500 },
    );
    expect(data.differences).not.toContain('bf16; paper fp16');
    expect(markAt(data, 'measured', '1chip ddp 2B').state).toBe('oom');
    expect(data.footnotes.join()).toMatch(/2 runs with dtype bf16 \(drawn: fp16\)/);
    expect(sourceOf(data, 'measured').flatMap(({ runIds }) => runIds)).toHaveLength(3);
  });

  it('names sizes by their shape: a 2B of another shape is not the paper’s', () => {
    const model = { ...base.case!.model, layers: 10 };
    const shapes = figure10(
      { subject: { model: { ...base.case!.model, name: '40x2048' } }, stepMs: 1000 },
      { subject: { model }, stepMs: 100 },
    );
    expect(markAt(shapes, 'measured', cell).state).toBe('value');
    expect(shapes.panels[0]?.x.slice(0, 3)).toEqual(['10x2048', '2B', '3B']);
    expect(shapes.marks.some(({ x, source }) => x === '10x2048' && source === 'published')).toBe(false);
  });

  it('of CPU ranks is functional, of its own, and without the paper and predictions', () => {
    const cpu: System = {
      ...base.system,
      name: 'cpu',
      accelerator: 'cpu',
      gpuName: null,
      gpuGiB: null,
      peakTflops: null,
    };
    const records = launches({ subject: { experiment: 'throughput' }, stepMs: 1000 }).map((record) => ({
      ...record,
      system: cpu,
    }));
    const data = built(10, machineOf(records));
    expect(data).toMatchObject({
      functional: true,
      unit: 'TFLOPS per CPU rank, recomputation excluded',
      differences: [],
    });
    expect(new Set(data.marks.map(({ source }) => source))).toEqual(new Set(['measured']));
    expect(data.panels.every(({ inPaper }) => !inPaper)).toBe(true);
    expect(markAt(data, 'measured', '1chip prism 2B')).toMatchObject({
      state: 'unsupported',
      notes: ['needs an NVIDIA GPU'],
    });
  });

  it('without a peak has tokens a second in place of MFU, and no MFU of the paper beside it', () => {
    const unknown = { ...base.system, gpuName: 'GPU X', peakTflops: null };
    const ran = launches({
      subject: { experiment: 'sequence_length', mode: 'ulysses', chips: 2, sequenceParallel: 2 },
      stepMs: 1000,
    });
    const data = built(12, machineOf(ran.map((record) => ({ ...record, system: unknown }))));
    expect(data.unit).toBe('tokens per second, all chips');
    expect(sourceOf(data, 'published')).toEqual([]);
  });
});

describe('a machine that nothing is known of', () => {
  it('is drawn with the paper alone', () => {
    const bare: System = {
      ...base.system,
      name: 'x',
      gpuGiB: null,
      hostGiB: null,
      hostGiBPerChip: null,
      rates: unknownRates,
      site: plainSite,
    };
    const data = built(10, systemWithoutRuns(bare));
    expect(sourceOf(data, 'predicted')).toEqual([]);
    expect(sourceOf(data, 'published').length).toBeGreaterThan(0);
  });
});
