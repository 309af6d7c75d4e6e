import type { MarkSource } from '../../figure-data.ts';
import { intervalLayers, intervalOf } from './bar-plot.ts';
import { round, type VegaLiteSpec } from '../drawing/draw.ts';
import { valueOf, type FigureView, type PanelView, type SeriesView } from '../view/figure-view.ts';
import { ink } from '../drawing/palette.ts';
import { axes, digits, orEmpty, seriesScale, stackLayers, type PlotSize } from './plot.ts';
import type { PanelPlan, Slots } from './slots.ts';
import { stackLength, stacksOf, type Stack } from './stacks.ts';

/** Lines: a source by its dash and by the shape of its points; where memory did not suffice, words below zero. */

export const lineStyles = {
  measured: { dash: [], shape: 'circle', width: 2 },
  predicted: { dash: [5, 3], shape: 'square', width: 1.4 },
  published: { dash: [1.5, 2.5], shape: 'diamond', width: 1.6 },
} as const satisfies Record<MarkSource, { dash: readonly number[]; shape: string; width: number }>;

const columns = [
  { column: 'bar', sources: ['measured', 'predicted'] },
  { column: 'paper', sources: ['published'] },
] as const;

/** Only words: a point of a line needs no number, and a note's letter stands with the symbol of its source. */
export function lineStacks(view: FigureView, panel: PanelView): Stack[] {
  return stacksOf(view, panel, columns, () => false).map((stack) => ({ ...stack, base: 0, gap: 3 }));
}

/** The strip below zero that the longest stack needs, pixels. */
export function stripOf(stacks: readonly Stack[]): number {
  return stacks.length === 0 ? 0 : Math.ceil(Math.max(...stacks.map(stackLength))) + 8;
}

/** Of stacks at one place along the axis. */
export function mostAtOnePlace(stacks: readonly Stack[]): number {
  return Math.max(0, ...stacks.map(({ x }) => stacks.filter((other) => other.x === x).length));
}

export function linePlot({ panel, scale, stacks }: PanelPlan, slots: Slots, size: PlotSize): VegaLiteSpec {
  const perPixel = scale.max / size.height;
  const fromBottom = stacks.map((stack) => ({ ...stack, base: -size.strip * perPixel }));
  const group = size.width / Math.max(1, panel.x.length);
  const sources = ['published', 'predicted', 'measured'] as const;
  const shapes = Object.fromEntries(sources.map((source) => [source, lineStyles[source].shape]));
  return {
    width: size.width,
    height: size.height + size.strip,
    encoding: axes(panel, scale, size),
    layer: orEmpty([
      ...sources.flatMap((source) => lineLayers(panel, source, points(panel, source))),
      ...stackLayers(panel, fromBottom, {
        perPixel,
        shapes,
        offset: (stack) => stripOffset(fromBottom, stack, group, slots),
      }),
    ]),
  };
}

/** Stacks of one place stand side by side in its middle. */
function stripOffset(stacks: readonly Stack[], stack: Stack, group: number, { pitch }: Slots): number {
  const here = stacks.filter(({ x }) => x === stack.x);
  return round(group / 2 + (here.indexOf(stack) - (here.length - 1) / 2) * pitch);
}

function points(panel: PanelView, source: MarkSource): VegaLiteSpec[] {
  return panel.series.flatMap((series) => seriesPoints(panel, source, series));
}

/** A line ends where there is no value and begins anew after it: nothing is drawn through what nobody knows. */
function seriesPoints(panel: PanelView, source: MarkSource, series: SeriesView): VegaLiteSpec[] {
  let piece = 0;
  return panel.x.flatMap((x, index) => {
    const mark = panel.mark(index, series, source);
    const value = mark === undefined ? null : valueOf(mark);
    if (mark === undefined || value === null) {
      piece += 1;
      return [];
    }
    return [
      {
        x,
        series: series.title,
        source,
        piece,
        order: index,
        value: digits(value),
        ...intervalOf(mark),
      },
    ];
  });
}

function lineLayers(panel: PanelView, source: MarkSource, data: readonly VegaLiteSpec[]): VegaLiteSpec[] {
  if (data.length === 0) return [];
  const { dash, shape, width } = lineStyles[source];
  const colour = seriesScale(panel);
  const paint =
    source === 'predicted'
      ? { mark: { fill: '#ffffff', strokeWidth: 1.4 }, encoding: { stroke: colour } }
      : { mark: { stroke: ink, strokeWidth: 0.7 }, encoding: { fill: colour } };
  return [
    {
      data: { values: data },
      mark: { type: 'line', strokeWidth: width, ...(dash.length > 0 ? { strokeDash: dash } : {}) },
      encoding: {
        stroke: colour,
        detail: { field: 'piece', type: 'nominal' },
        order: { field: 'order', type: 'quantitative' },
      },
    },
    ...intervalLayers(data.filter(({ low }) => low !== null)),
    {
      data: { values: data },
      mark: { type: 'point', shape, size: shape === 'diamond' ? 60 : 42, opacity: 1, ...paint.mark },
      encoding: paint.encoding,
    },
  ];
}
