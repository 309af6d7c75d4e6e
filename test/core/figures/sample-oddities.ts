import type { FigureData } from '../../../src/core/figures/figure-data.ts';
import {
  figure,
  mark,
  panelOf,
  paper,
  published,
  sampleFigure10,
  sampleFigure11,
  sampleFigure12,
  sampleFigure13,
  throughputUnit,
  titles,
} from './sample-figure.ts';

/** Figures at the edges of what a picture must be good for, and the list of all samples. */

/** Two CPU ranks: far below the paper, sizes of their own. */
export function sampleFunctional(): FigureData {
  const x = ['tiny', 'small'];
  const marks = ['zero_offload', 'zero_infinity', 'ddp'].flatMap((series, i) =>
    x.map((at, j) => {
      const value = 0.021 + 0.013 * i + 0.017 * j;
      return mark({ panel: 'cpu', series, x: at, source: 'measured', state: 'value', value, low: value * 0.9, high: value * 1.1, basis: '95% within one launch' }); // prettier-ignore
    }),
  );
  const paperMarks = published('1', paper.figure10.models ?? [], paper.figure10.series);
  const low = mark({
    panel: '1',
    series: 'zero_offload',
    x: '2B',
    source: 'measured',
    state: 'value',
    value: 0.3,
  });
  return figure(
    {
      figure: 10,
      title: 'Throughput on one chip',
      unit: throughputUnit,
      shape: 'bars',
      panels: [
        panelOf({ key: '1', title: '1 chip, batch 8', x: paper.figure10.models ?? [] }),
        panelOf({ key: 'cpu', title: '2 CPU ranks, batch 8', chips: 2, x, inPaper: false }),
      ],
    },
    [...paperMarks, low, ...marks],
    {
      functional: true,
      system: { name: 'cpu-2-cores', title: 'CPU ranks on 2 cores' },
      differences: [
        'fp32; paper fp16',
        'CPU; paper GH200',
        'sizes tiny and small, which the paper does not have',
      ],
    },
  );
}

export const hostileText =
  '<script>alert(1)</script>"\'&]]> \u001b[31mred\u001b[0m \u202eevil\u202c שלום \u{1F469}\u200d\u{1F4BB} {{expr}} datum.x \u0000';

/** Every text of the figure is somebody's joke. */
export function sampleHostile(shape: FigureData['shape'] = 'bars'): FigureData {
  const long = `${hostileText} ${'wordwithoutanybreakthatgoesonandon'.repeat(12)}`;
  const x = [hostileText, `${hostileText} `, 'a'.repeat(300), '=1+1', 'datum', '', '\u{1F600}', '16K'];
  const series = ['</svg><img src=x onerror=alert(2)>', '__proto__', 'constructor', long].map((key) => ({ key, title: key })); // prettier-ignore
  const marks = series.flatMap(({ key }, i) =>
    x.flatMap((at, j) => [
      mark({ panel: long, series: key, x: at, source: 'measured', state: j % 4 === 3 ? 'oom' : 'value', wall: j % 4 === 3 ? 'shm' : null, value: j % 4 === 3 ? null : (i + 1) * (j + 2), notes: [`${long} ${j}`, `${i}`], runIds: [hostileText] }), // prettier-ignore
      mark({ panel: long, series: key, x: at, source: 'predicted', state: 'value', value: j === 5 ? Number.NaN : 3 * j }), // prettier-ignore
    ]),
  );
  return figure(
    {
      figure: 10,
      title: long,
      unit: long,
      shape,
      panels: [panelOf({ key: long, title: long, xTitle: long, x })],
    },
    marks,
    {
      series,
      system: { name: '../../etc', title: long },
      differences: Array.from({ length: 12 }, (_, i) => `${hostileText} ${i}`),
      footnotes: [long, long],
      tool: hostileText,
    },
  );
}

/** As many series and places as asked for; every state and source goes around. */
export function sampleGrid(series: number, x: number, shape: FigureData['shape'] = 'bars'): FigureData {
  const names = ['ddp', 'Megatron', 'zero_2', 'zero_3', 'zero_offload', 'zero_infinity', 'prism', 'my-own', 'FSDP-CPU-Offload'].slice(0, series); // prettier-ignore
  const places = ['1B', '2B', '3B', '5B', '10B', '15B', '20B', '25B'].slice(0, x);
  const states = ['value', 'oom', 'value', 'failed', 'not-run', 'unsupported', 'not-drawn'] as const;
  const walls = ['gpu', 'host', 'pinned', 'shm'] as const;
  const marks = names.flatMap((name, i) =>
    places.flatMap((at, j) =>
      (['measured', 'predicted', 'published'] as const).map((source, k) => {
        const state = states[(i + 2 * j + 3 * k) % states.length] ?? 'value';
        const value = state === 'value' ? 20 + ((37 * (i + 3 * j + k)) % 170) : null;
        const wall = state === 'oom' && source !== 'published' ? (walls[(i + j) % 4] ?? null) : null;
        return mark({ panel: 'p', series: name, x: at, source, state, value, wall, notes: (i + j) % 5 === 0 ? [`note ${j}`] : [] }); // prettier-ignore
      }),
    ),
  );
  return figure(
    { figure: 11, title: `${series} series, ${x} places`, unit: throughputUnit, shape, panels: [panelOf({ key: 'p', title: '4 chips', x: places })] },
    marks,
    { series: names.map((key) => ({ key, title: titles[key] ?? key })) },
  ); // prettier-ignore
}

/** Every figure that a picture must be good for, by name. */
export const samples: Readonly<Record<string, () => FigureData>> = {
  'figure-10': sampleFigure10,
  'figure-11': sampleFigure11,
  'figure-12': sampleFigure12,
  'figure-13': sampleFigure13,
  'paper-alone': () => {
    const data = sampleFigure10();
    return { ...data, marks: data.marks.filter(({ source }) => source === 'published'), differences: [] };
  },
  'measured-alone': () => {
    const data = sampleFigure10();
    return { ...data, marks: data.marks.filter(({ source }) => source === 'measured') };
  },
  'paper-and-prediction': () => {
    const data = sampleFigure11();
    return { ...data, marks: data.marks.filter(({ source }) => source !== 'measured') };
  },
  functional: sampleFunctional,
  hostile: () => sampleHostile(),
  'hostile-lines': () => sampleHostile('lines'),
  'no-panel': () => sampleFigure10({ panels: [], marks: [], series: [] }),
  'no-series': () => sampleGrid(0, 8),
  'no-place': () => sampleGrid(3, 0),
  'one-bar': () => sampleGrid(1, 1),
  'one-series': () => sampleGrid(1, 8),
  'one-place': () => sampleGrid(9, 1),
  'nine-series': () => sampleGrid(9, 8),
  'nine-lines': () => sampleGrid(9, 8, 'lines'),
  'no-lines': () => sampleGrid(0, 3, 'lines'),
  'many-notes': () => {
    const data = sampleFigure10();
    const marks = data.marks.map((each, i) => (each.source === 'measured' ? { ...each, notes: [`note number ${i}: a text of some length about this cell`] } : each)); // prettier-ignore
    return { ...data, marks, differences: Array.from({ length: 9 }, (_, i) => `difference ${i} of this machine from the paper’s`) }; // prettier-ignore
  },
};
