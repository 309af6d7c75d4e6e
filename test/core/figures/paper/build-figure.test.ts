import { describe, expect, it } from 'vitest';
import { parameterCount } from '../../../../src/core/model/shape.ts';
import type { RunRecord } from '../../../../src/core/results/record.ts';
import { base, launches } from '../launches.ts';
import { figureSystems } from '../../../../src/core/figures/figure-system.ts';
import { withRates } from '../../../../src/workflows/figure/choose-systems.ts';
import { readSystems } from '../../../../src/adapters/experiment-data.ts';
import { built, machineOf, markAt, packageRoot, profile, realRecords, sourceOf } from '../scene-inputs.ts';

const catalog = readSystems([`${packageRoot}/experiment`]);
const machines = figureSystems(realRecords).map((machine) => withRates(machine, catalog));
const one = machines.find(({ name }) => name === '1x-nvidia-h200')!;
const two = machines.find(({ name }) => name === '2x-nvidia-h200')!;

describe('figures of real runs on H200 GPUs', () => {
  it('are of two machines, which share no picture', () => {
    expect(machines.map(({ name, title }) => [name, title])).toEqual([
      ['1x-nvidia-h200', '1 x NVIDIA H200'],
      ['2x-nvidia-h200', '2 x NVIDIA H200'],
    ]);
    const ids = new Set(built(11, two).marks.flatMap(({ runIds }) => runIds));
    expect(one.records.filter(({ runId }) => ids.has(runId))).toEqual([]);
  });

  it('figure 10: every cell of a mode is measured, out of memory or not run, with intervals and run ids', () => {
    const data = built(10, one);
    const measured = sourceOf(data, 'measured');
    expect(measured).toHaveLength(4 * 7);
    const mark = markAt(data, 'measured', '1chip zero_offload 2B');
    const run = one.records.find(({ runId }) => mark.runIds.includes(runId))!;
    expect(mark.value).toBeCloseTo(run.throughput.modelTflopsPerGpu!, 6);
    expect(mark.low).toBeLessThan(mark.value!);
    expect(mark.high).toBeGreaterThan(mark.value!);
    expect(mark.basis).toMatch(/within one run$/);
    expect(markAt(data, 'measured', '1chip prism 5B')).toMatchObject({
      state: 'oom',
      wall: 'host',
      value: null,
    });
    expect(markAt(data, 'measured', '1chip prism 25B')).toMatchObject({ state: 'not-run', runIds: [] });
    expect(markAt(data, 'predicted', '1chip prism 25B')).toMatchObject({ state: 'oom', wall: 'host' });
    expect(data.series.map(({ key }) => key)).toContain('FSDP-CPU-Offload');
  });

  it('figure 10: says how the machine and the runs are not the paper’s, and what was left out', () => {
    const { differences, footnotes } = built(10, one);
    expect(differences).toEqual([
      'bf16; paper fp16',
      'NVIDIA H200 140 GiB; paper GH200 96 GB',
      'PCIe to the host; paper C2C',
      '126 GiB host a chip; paper 480 GB',
      'sequence 1024; paper does not say',
    ]);
    const text = footnotes.join('\n');
    expect(text).toMatch(/3 runs with workload megatron \(drawn: builtin\)/);
    expect(text).toMatch(
      /3 runs on another stack: torch 2\.11\.0\+cu130, DeepSpeed 0\.19\.8 \(lock 1bb70412\)/,
    );
    expect(text).toMatch(
      /^Measured: \d+ runs of 2026-11-23, torch 2\.11\.0\+cu130, DeepSpeed 0\.19\.8 \(lock 44cb0d23\)/m,
    );
    expect(text).toMatch(/^Paper: .*read off the figure to about 1 TFLOPS\.$/m);
  });

  it('figure 11: another number of chips has a panel of its own, after the paper’s', () => {
    const { panels, marks } = built(11, two);
    expect(panels.map(({ key, inPaper }) => [key, inPaper])).toEqual([
      ['4chip', true],
      ['16chip', true],
      ['2chip', false],
    ]);
    const own = marks.filter(({ panel, source }) => panel === '2chip' && source === 'measured');
    expect(own.find(({ series }) => series === 'prism')).toMatchObject({ state: 'value', x: '1B' });
    // A person ended it.
    expect(own.find(({ series }) => series === 'zero_infinity')).toMatchObject({
      state: 'stopped',
      value: null,
    });
    expect(marks.some(({ panel, source }) => panel === '2chip' && source === 'published')).toBe(false);
  });

  it('figure 12: MFU percent by length, out of memory with its wall, and the word about causal attention', () => {
    const data = built(12, two);
    expect(data).toMatchObject({ shape: 'lines', unit: 'MFU percent' });
    const ran = markAt(data, 'measured', '2chip-1B ulysses 128K');
    const run = two.records.find(({ runId }) => ran.runIds.includes(runId))!;
    expect(ran.value).toBeCloseTo(100 * run.throughput.mfu!, 6);
    expect(markAt(data, 'measured', '2chip-1B prism_ulysses 256K')).toMatchObject({
      state: 'oom',
      wall: 'gpu',
    });
    const text = data.footnotes.join('\n');
    expect(text).toMatch(
      /^MFU against 989 TFLOPS a chip, the paper does not say against what\. .*causal kernel executes about half/m,
    );
    expect(text).toMatch(
      /The runs were not made as the experiment has it, but without recomputation, without activation offload\./,
    );
  });

  it('figure 13: the proven edge, in counted parameters, with the memory that ends it', () => {
    const data = built(13, one);
    const edges = ['zero_offload', 'zero_infinity', 'prism'].map((mode) =>
      markAt(data, 'measured', `paper ${mode} 1`),
    );
    expect(edges.map(({ value }) => value!.toFixed(3))).toEqual(['5.146', '6.165', '4.200']);
    expect(edges.map(({ wall, notes }) => [wall, ...notes])).toEqual([
      ['host', '5B runs, 6B is out of host memory'],
      ['host', '6B runs, 7B is out of host memory'],
      ['host', '4B runs, 5B is out of host memory'],
    ]);
    expect(markAt(data, 'measured', 'paper zero_3 1')).toMatchObject({ state: 'not-run' });
    expect(markAt(data, 'measured', 'paper prism 4')).toMatchObject({ state: 'not-run' });
    expect(data.differences).toContain('tied head; paper does not say');
  });

  it('without the paper: no published mark and nothing to differ from', () => {
    const data = built(10, one, { showPaper: false, showPredicted: false });
    expect(new Set(data.marks.map(({ source }) => source))).toEqual(new Set(['measured']));
    expect(data.differences).toEqual([]);
    expect(data.series.map(({ key }) => key)).not.toContain('FSDP-CPU-Offload');
  });
});

describe('figures of a machine without runs', () => {
  it('have prediction and paper, and no cell that nobody ran', () => {
    const data = built(10, profile('gh200'));
    expect(sourceOf(data, 'measured')).toEqual([]);
    expect(sourceOf(data, 'predicted')).toHaveLength(4 * 7);
    expect(data.differences).toEqual(['bf16; paper fp16', 'sequence 1024; paper does not say']);
  });

  it("follow the paper's rule for the batch in the prediction too, and say what it took", () => {
    const notes = sourceOf(built(10, profile('gh200')), 'predicted').flatMap((mark) => mark.notes);
    expect(notes.some((note) => /^accumulation \d+$/.test(note) || note === 'recomputed')).toBe(true);
  });

  it('name the memory that a smaller batch lacks, where it is another than that of the whole', () => {
    const data = built(10, profile('gh200-nvl2'));
    expect(markAt(data, 'predicted', '1chip zero_offload 15B')).toMatchObject({
      ...{ state: 'oom', wall: 'gpu' },
      notes: ['a smaller batch is out of host memory'],
    });
  });

  it('draw no speed of several nodes where nobody knows their network', () => {
    const data = built(11, profile('gh200'));
    expect(sourceOf(data, 'predicted').every(({ state }) => state === 'oom')).toBe(true);
    const cells = data.panels.flatMap(({ x }) => x).length * 4;
    const left = cells - sourceOf(data, 'predicted').length;
    expect(data.footnotes.join()).toContain(
      `No speed is predicted of ${left} cells that should fit: a rate that it takes is not known of GH200`,
    );
    const nvl2 = sourceOf(built(11, profile('gh200-nvl2')), 'predicted');
    expect(nvl2.some(({ state }) => state === 'value')).toBe(true);
  });

  it('draw nothing of part of a node, and say why', () => {
    const nvl2 = profile('gh200-nvl2');
    const data = built(11, { ...nvl2, system: { ...nvl2.system, chipsPerNode: 3 } });
    expect(sourceOf(data, 'predicted')).toEqual([]);
    const [said] = data.footnotes.filter((note) => note.includes('predicted of'));
    expect(said).toBe('Nothing is predicted of 36 cells: the chips do not fill nodes of 3.');
  });

  it('are none on CPUs', () => {
    expect(() => built(10, profile('cpu'))).toThrow('nothing to draw');
  });
});

it('draws sizes that CPUs train in millions, not in ten-thousandths of a billion', () => {
  const { system, case: subject } = base;
  const model = { name: 'tiny', layers: 2, hidden: 64, heads: 4, paddedVocabulary: 512 };
  const records = launches({ stepMs: 10, subject: { experiment: 'model_size', model, dtype: 'fp32' } });
  const onCpu = records.map((record) => {
    return {
      ...record,
      lastIteration: 12,
      system: { ...system, accelerator: 'cpu', gpuName: null } as const,
    };
  });
  const data = built(13, machineOf(onCpu));
  expect(data.unit).toBe('million parameters');
  const [mark] = sourceOf(data, 'measured').filter(({ state }) => state === 'value');
  expect(mark!.value).toBeCloseTo(parameterCount(model, subject!.sequenceLength) / 1e6, 9);
});

describe('machines', () => {
  const named = (name: string, hostGiB: number, cores: number): RunRecord => {
    return { ...base, system: { ...base.system, name, hostGiB, cores } };
  };

  it('have names of their own, whatever they are called: files of one never lie over those of another', () => {
    const names = [
      '../x',
      '..\\x',
      'x',
      'X',
      'x-100gib',
      'x-100gib-2',
      'a/b',
      'long '.repeat(60),
      '\u001b[31m',
      '..',
      '',
    ];
    const machines = figureSystems(names.map((name, cores) => named(name, 100, cores + 1)));
    const files = machines.map(({ name }) => name);
    expect(new Set(files).size).toBe(names.length);
    for (const name of files) expect(name).toMatch(/^[a-z0-9][a-z0-9.-]{0,80}$/);
  });
});
