import type { Mark, MarkSource } from '../../figure-data.ts';
import { round, type VegaLiteSpec } from '../drawing/draw.ts';
import { valueOf, type FigureView, type PanelView } from '../view/figure-view.ts';
import { hollowOpacity, ink } from '../drawing/palette.ts';
import { axes, byOffset, digits, orEmpty, seriesScale, stackLayers, type PlotSize } from './plot.ts';
import type { PanelPlan, Slots } from './slots.ts';
import { stacksOf, type Stack } from './stacks.ts';

/** Bars: the measured one full, in the hollow one of the prediction; the paper's a diamond on a stem beside them. */

const columns = [
  { column: 'bar', sources: ['measured', 'predicted'] },
  { column: 'paper', sources: ['published'] },
] as const;

export function barStacks(
  view: FigureView,
  panel: PanelView,
  needsNumber: (value: number, source: MarkSource) => boolean,
): Stack[] {
  return stacksOf(view, panel, columns, needsNumber);
}

export function barPlot(plan: PanelPlan, slots: Slots, size: PlotSize): VegaLiteSpec {
  const { panel, scale, stacks } = plan;
  const offset = (index: number, column: Stack['column']): number =>
    barOffset(plan, slots, size.width, index, column);
  const measured = values(panel, 'measured', offset);
  const predicted = values(panel, 'predicted', offset);
  const published = values(panel, 'published', offset);
  return {
    width: size.width,
    height: size.height,
    encoding: { ...axes(panel, scale, size), ...byOffset },
    layer: orEmpty([
      ...barLayer(predicted, slots.hollowWidth - 1, {
        mark: { strokeWidth: 1.3, fillOpacity: hollowOpacity },
        encoding: { fill: seriesScale(panel), stroke: seriesScale(panel) },
      }),
      ...barLayer(measured, slots.solidWidth, {
        mark: { strokeWidth: 0.6, stroke: ink },
        encoding: { fill: seriesScale(panel) },
      }),
      ...intervalLayers(measured.filter(({ low }) => low !== null)),
      ...paperLayers(panel, published),
      ...stackLayers(panel, stacks, {
        perPixel: scale.max / size.height,
        offset: ({ seriesIndex, column }) => offset(seriesIndex, column),
      }),
    ]),
  };
}

/** Pixels from the left edge of a place to the middle of a series' column; the slots stand in the place's middle. */
function barOffset(
  { panel, columns }: PanelPlan,
  { pitch, barCentre, paperCentre }: Slots,
  width: number,
  index: number,
  column: Stack['column'],
): number {
  const group = width / Math.max(1, panel.x.length);
  return round(group / 2 + (index - columns / 2) * pitch + (column === 'bar' ? barCentre : paperCentre));
}

/** What a bar or a diamond is drawn from, and what a reader of the file finds there. */
function values(
  panel: PanelView,
  source: MarkSource,
  offsetOf: (index: number, column: Stack['column']) => number,
): VegaLiteSpec[] {
  return panel.x.flatMap((x, i) =>
    panel.series.flatMap((series, index) => {
      const mark = panel.mark(i, series, source);
      const value = mark === undefined ? null : valueOf(mark);
      if (mark === undefined || value === null) return [];
      const offset = offsetOf(index, source === 'published' ? 'paper' : 'bar');
      return [
        { x, series: series.title, source, offset, value: digits(value), zero: 0, ...intervalOf(mark) },
      ];
    }),
  );
}

/** Both ends of an interval, or neither. */
export function intervalOf({ low, high }: Mark): VegaLiteSpec {
  const isFinite = low !== null && high !== null && Number.isFinite(low) && Number.isFinite(high);
  return isFinite ? { low: digits(Math.max(0, low)), high: digits(high) } : { low: null, high: null };
}

function barLayer(
  data: readonly VegaLiteSpec[],
  width: number,
  { mark, encoding }: { readonly mark: VegaLiteSpec; readonly encoding: VegaLiteSpec },
): VegaLiteSpec[] {
  return data.length === 0
    ? []
    : [{ data: { values: data }, mark: { type: 'bar', width, ...mark }, encoding }];
}

/** Black in a white seam: seen on a dark bar as on a light one. */
export function intervalLayers(data: readonly VegaLiteSpec[]): VegaLiteSpec[] {
  if (data.length === 0) return [];
  const interval = { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } };
  const cap = (field: string): VegaLiteSpec => ({
    data: { values: data },
    mark: { type: 'tick', orient: 'horizontal', size: 6, thickness: 1, color: ink },
    encoding: { y: { field, type: 'quantitative' } },
  });
  return [
    {
      data: { values: data },
      mark: { type: 'rule', strokeWidth: 2.2, color: '#ffffff' },
      encoding: interval,
    },
    { data: { values: data }, mark: { type: 'rule', strokeWidth: 1, color: ink }, encoding: interval },
    cap('low'),
    cap('high'),
  ];
}

function paperLayers(panel: PanelView, data: readonly VegaLiteSpec[]): VegaLiteSpec[] {
  if (data.length === 0) return [];
  const colour = seriesScale(panel);
  return [
    {
      data: { values: data },
      mark: { type: 'rule', strokeWidth: 1 },
      encoding: { y2: { field: 'zero' }, stroke: colour },
    },
    {
      data: { values: data },
      mark: { type: 'point', shape: 'diamond', size: 56, stroke: ink, strokeWidth: 0.8, opacity: 1 },
      encoding: { fill: colour },
    },
  ];
}
