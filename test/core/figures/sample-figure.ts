import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FigureData, Mark, MarkSource, Panel, Series } from '../../../src/core/figures/figure-data.ts';

/**
 * Figures for tests of what is made from them. Published values are the paper's; measured and predicted ones are made
 * up, near enough to the paper's that marks meet: no test is about their truth.
 */

type PaperValue = number | 'OOM' | null;
interface PaperPanel {
  readonly chips: number;
  readonly models?: readonly string[];
  readonly model?: string;
  readonly sequenceLengths?: readonly string[];
  readonly series: Readonly<Record<string, readonly PaperValue[]>>;
}

export const paper = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../experiment/paper/figures.json'), 'utf8'),
) as {
  readonly figure10: PaperPanel;
  readonly figure11: { readonly panels: readonly PaperPanel[] };
  readonly figure12: { readonly panels: readonly PaperPanel[] };
  readonly figure13: {
    readonly chips: readonly number[];
    readonly series: Readonly<Record<string, readonly number[]>>;
  };
};

const keys: Readonly<Record<string, string>> = {
  'PyTorch DDP': 'ddp',
  'ZeRO-2': 'zero_2',
  'ZeRO-3': 'zero_3',
  'prism-ulysses': 'prism_ulysses',
};
export const titles: Readonly<Record<string, string>> = {
  ddp: 'DDP (ZeRO-0)',
  zero_2: 'ZeRO-2',
  zero_3: 'ZeRO-3',
  zero_offload: 'ZeRO-Offload',
  zero_infinity: 'ZeRO-Infinity (artifact)',
  prism: 'SuperOffload (PRISM)',
  ulysses: 'Ulysses (ZeRO-3)',
  prism_ulysses: 'SuperOffload-Ulysses (PRISM)',
};
const keyOf = (name: string): string => keys[name] ?? name;

export const throughputUnit = 'TFLOPS per GPU, recomputation excluded';
const h200 = { name: 'h200', title: '1 x NVIDIA H200 141 GB, PCIe Gen5, 16 cores, 180 GiB host memory' };
const differences = [
  'bf16; paper fp16',
  'H200, PCIe; paper GH200, NVLink-C2C',
  'sequence 1024; paper not stated',
];
const footnotes = [
  'Measured: 24 runs of 2026-11-23, DeepSpeed 0.19.8, torch 2.15.0, CUDA 13.0; TFLOPS by the formula of Megatron, recomputation excluded.',
  'Paper: SuperOffload, ASPLOS 2026, read off the figure, about 1 TFLOPS.',
  'Predicted: this machine’s link, host memory and GPU by core/model; not fitted to these runs.',
];

/** A mark with nothing special about it. */
export function mark(part: Pick<Mark, 'panel' | 'series' | 'x' | 'source' | 'state'> & Partial<Mark>): Mark {
  return { value: null, low: null, high: null, basis: null, wall: null, runIds: [], notes: [], ...part };
}

export function published(panel: string, x: readonly string[], values: PaperPanel['series']): Mark[] {
  return Object.entries(values).flatMap(([name, each]) =>
    each.map((value, i) => {
      const place = { panel, series: keyOf(name), x: x[i] ?? '', source: 'published' as const };
      if (value === null) return mark({ ...place, state: 'not-drawn' });
      return value === 'OOM' ? mark({ ...place, state: 'oom' }) : mark({ ...place, state: 'value', value });
    }),
  );
}

/** What a machine might give: a share of what the paper has, with an interval, and words where it ends. */
function made(marks: readonly Mark[], source: MarkSource, share: number, spread: number): Mark[] {
  return marks
    .filter(
      ({ series }) => series !== 'FSDP-CPU-Offload' && !(series === 'Megatron' && source === 'predicted'),
    )
    .map((each, i) => {
      const { panel, series, x, state } = each;
      const place = { panel, series, x, source };
      if (state === 'not-drawn') return mark({ ...place, state: 'not-run' });
      if (state === 'oom' || each.value === null)
        return mark({ ...place, state: 'oom', wall: i % 3 === 0 ? 'host' : 'gpu' });
      const value = each.value * (share + 0.11 * Math.sin(3 * i));
      const interval =
        spread === 0
          ? {}
          : { low: value * (1 - spread), high: value * (1 + spread), basis: '95% between 3 launches' };
      return mark({ ...place, state: 'value', value, ...interval, runIds: source === 'measured' ? [`run-${i}`] : [] }); // prettier-ignore
    });
}

function seriesOf(marks: readonly Mark[]): Series[] {
  return [...new Set(marks.map(({ series }) => series))].map((key) => ({ key, title: titles[key] ?? key }));
}

type Head = Pick<FigureData, 'figure' | 'title' | 'unit' | 'shape' | 'panels'>;

export function figure(head: Head, marks: readonly Mark[], part: Partial<FigureData> = {}): FigureData {
  return {
    schemaVersion: 1,
    ...head,
    system: h200,
    functional: false,
    series: seriesOf(marks),
    marks,
    differences,
    footnotes,
    tool: '0.1.0',
    ...part,
  };
}

export function panelOf(part: Pick<Panel, 'key' | 'x'> & Partial<Panel>): Panel {
  return { title: part.key, chips: 1, xTitle: 'model size, parameters', inPaper: true, ...part };
}

/** Figure 10, every kind of mark in it. */
export function sampleFigure10(part: Partial<FigureData> = {}): FigureData {
  const x = paper.figure10.models ?? [];
  const paperMarks = published('1', x, paper.figure10.series);
  const measured = made(paperMarks, 'measured', 0.62, 0.03).map((each) => {
    if (each.x === '25B' || each.x === '20B') return mark({ ...each, ...none, state: 'not-run' });
    if (each.x === '10B' && each.series === 'zero_offload') return mark({ ...each, ...none, state: 'failed', notes: ['crash in the first step: illegal memory access'] }); // prettier-ignore
    if (each.x === '15B' && each.series === 'prism')
      return mark({ ...each, ...none, state: 'oom', wall: 'pinned' });
    if (each.x === '15B' && each.series === 'zero_infinity')
      return mark({ ...each, ...none, state: 'oom', wall: 'shm' });
    if (each.x === '15B' && each.series === 'ddp') return mark({ ...each, ...none, state: 'unsupported' });
    if (each.x === '5B' && each.series === 'prism')
      return { ...each, notes: ['recomputed', 'accumulation 2'] };
    if (each.x === '5B' && each.series === 'zero_offload') return { ...each, notes: ['accumulation 2'] };
    if (each.x === '3B' && each.series === 'zero_infinity')
      return { ...each, notes: ['2 of 3 launches failed'] };
    return each;
  });
  const marks = [...paperMarks, ...measured, ...made(paperMarks, 'predicted', 0.66, 0)];
  return figure(
    { figure: 10, title: 'Throughput on one chip', unit: throughputUnit, shape: 'bars', panels: [panelOf({ key: '1', title: '1 chip, batch 8', x })] },
    marks,
    part,
  ); // prettier-ignore
}

const none = { value: null, low: null, high: null, basis: null } as const;

/** Figure 11: two panels of the paper and one of one's own. */
export function sampleFigure11(part: Partial<FigureData> = {}): FigureData {
  const paperMarks = paper.figure11.panels.flatMap(({ chips, models, series }) => published(String(chips), models ?? [], series)); // prettier-ignore
  const own = ['1B', '2B'].flatMap((x, i) =>
    ['zero_3', 'zero_offload', 'prism'].map((series, j) => {
      const value = 61 + 23 * i + 31 * j;
      return mark({ panel: '2', series, x, source: 'measured', state: 'value', value, low: value * 0.97, high: value * 1.02, basis: '95% between 3 launches' }); // prettier-ignore
    }),
  );
  const panels = [
    panelOf({ key: '2', title: '2 chips, batch 16', chips: 2, x: ['1B', '2B'], inPaper: false }),
    ...paper.figure11.panels.map(({ chips, models }) =>
      panelOf({ key: String(chips), title: `${chips} chips, batch ${chips === 4 ? 16 : 128}`, chips, x: models ?? [] }),
    ),
  ]; // prettier-ignore
  const marks = [...paperMarks, ...own, ...made(paperMarks, 'predicted', 0.8, 0)];
  return figure(
    { figure: 11, title: 'Throughput on 4 and 16 chips', unit: throughputUnit, shape: 'bars', panels },
    marks,
    part,
  );
}

/** Figure 12: lines. */
export function sampleFigure12(part: Partial<FigureData> = {}): FigureData {
  const key = (panel: PaperPanel): string => `${panel.chips}-${panel.model ?? ''}`;
  const paperMarks = paper.figure12.panels.flatMap((panel) => published(key(panel), panel.sequenceLengths ?? [], panel.series)); // prettier-ignore
  const first = paperMarks.filter(({ panel }) => panel.startsWith('4'));
  const measured = made(first, 'measured', 0.9, 0.05).map((each) =>
    each.x === '64K' && each.series === 'ulysses'
      ? mark({ ...each, ...none, state: 'oom', wall: 'gpu' })
      : each,
  );
  const panels = paper.figure12.panels.map((panel) =>
    panelOf({ key: key(panel), title: `${panel.chips} chips, ${panel.model ?? ''}`, chips: panel.chips, x: panel.sequenceLengths ?? [], xTitle: 'sequence length, tokens' }),
  ); // prettier-ignore
  return figure(
    { figure: 12, title: 'Sequence length', unit: 'MFU, percent of 989 TFLOPS', shape: 'lines', panels },
    [...paperMarks, ...measured, ...made(paperMarks, 'predicted', 0.95, 0)],
    part,
  );
}

/** Figure 13: numbers on the bars, some of them bounds. */
export function sampleFigure13(part: Partial<FigureData> = {}): FigureData {
  const { chips, series } = paper.figure13;
  const x = chips.map(String);
  const paperMarks = published('all', x, series);
  const measured = made(paperMarks.filter((each) => each.x === '1'), 'measured', 0.3, 0).map((each) =>
    each.series === 'ddp' || each.series === 'prism' ? { ...each, notes: ['at least: nothing above 1B was tried'] } : { ...each, wall: 'host' as const, notes: [`1B runs, 2B is out of host memory`] },
  ); // prettier-ignore
  const notRun = paperMarks.filter((each) => each.x === '16').map(({ panel, series: key, x: at }) => mark({ panel, series: key, x: at, source: 'measured', state: 'not-run' })); // prettier-ignore
  return figure(
    { figure: 13, title: 'Largest trainable model', unit: 'billion parameters', shape: 'bars', panels: [panelOf({ key: 'all', title: 'Largest model by chips', chips: null, x, xTitle: 'chips' })] },
    [...paperMarks, ...measured, ...notRun, ...made(paperMarks, 'predicted', 0.4, 0)],
    part,
  ); // prettier-ignore
}
