import type { VegaLiteSpec } from '../drawing/draw.ts';
import type { PanelView } from '../view/figure-view.ts';
import { gridColour, ink, mutedInk } from '../drawing/palette.ts';
import { pictureNumber } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { glyphRoom, itemStarts, type Stack } from './stacks.ts';
import { textWidth } from '../drawing/text-width.ts';
import type { ValueScale } from './value-scale.ts';

/** What bars and lines have in common: the axes, and the words in the plot. */

/** Of a plot, pixels. */
export interface PlotSize {
  readonly width: number;
  /** From the line of zero to the upper edge. */
  readonly height: number;
  /** Below zero, for words that would lie on lines. */
  readonly strip: number;
}

/** Colours by the title of a series: the same scale in every layer and panel. */
export function seriesScale({ allSeries }: PanelView): VegaLiteSpec {
  const scale = { domain: allSeries.map(({ title }) => title), range: allSeries.map(({ colour }) => colour) };
  return { field: 'series', type: 'nominal', scale, legend: null };
}

/** Pixels from the left edge of a place, as the data say: no scale, which panels would share. */
export const byOffset = { xOffset: { field: 'offset', type: 'quantitative', scale: null } } as const;

/** The encodings that every layer of a plot shares. */
export function axes(panel: PanelView, scale: ValueScale, size: PlotSize): VegaLiteSpec {
  const group = size.width / Math.max(1, panel.x.length);
  return {
    x: {
      field: 'x',
      type: 'nominal',
      scale: { type: 'band', domain: panel.x, paddingInner: 0, paddingOuter: 0 },
      axis: {
        ...xLabels(panel, group),
        title: null,
        domainColor: size.strip > 0 ? gridColour : ink,
        ticks: false,
        grid: false,
        zindex: 1,
      },
    },
    y: {
      field: 'value',
      type: 'quantitative',
      stack: null,
      scale: { domain: [-below(scale, size), scale.max], nice: false, zero: false },
      axis: {
        title: null,
        values: scale.ticks,
        domain: false,
        ticks: false,
        grid: true,
        gridColor: { condition: { test: 'datum.value === 0', value: ink }, value: gridColour },
        labelColor: ink,
        labelFontSize: sizes.small,
        labelPadding: 5,
        labelOverlap: false,
        labelFlush: false,
        labelExpr: tickLabels(scale),
      },
    },
  };
}

/** How far the axis goes below zero for the strip of words. */
function below({ max }: ValueScale, { height, strip }: PlotSize): number {
  return (strip / height) * max;
}

/** Each tick by its number: no locale and no rounding of the library. Numbers alone stand in the expression. */
function tickLabels({ ticks }: ValueScale): string {
  return ticks.reduceRight<string>(
    (rest, tick) => `datum.value === ${tick} ? '${pictureNumber(tick)}' : ${rest}`,
    "''",
  );
}

/** Upright where they would run into each other. */
function xLabels(panel: PanelView, group: number): VegaLiteSpec {
  const style = {
    labelColor: ink,
    labelFontSize: sizes.label,
    labelPadding: 6,
    labelOverlap: false,
    labelLimit: 0,
  };
  return isUpright(panel, group)
    ? { ...style, labelAngle: 270, labelAlign: 'right', labelBaseline: 'middle' }
    : { ...style, labelAngle: 0 };
}

function isUpright(panel: PanelView, group: number): boolean {
  return panel.x.some((text) => textWidth(text, sizes.label) > group - 6);
}

/** Pixels below the plot that the labels of the places take. */
export function xLabelRoom(panel: PanelView, width: number): number {
  if (!isUpright(panel, width / Math.max(1, panel.x.length))) return 20;
  return 10 + Math.max(0, ...panel.x.map((text) => textWidth(text, sizes.label)));
}

/** Pixels left of the plot that the numbers of the ticks take. */
export function tickRoom({ ticks }: ValueScale): number {
  return 8 + Math.max(0, ...ticks.map((tick) => textWidth(pictureNumber(tick), sizes.small)));
}

const shapes = { measured: 'square', predicted: 'square', published: 'diamond' } as const;

/** The stacks' words and symbols: upright, each symbol in its series' colour, so that colour alone says nothing. */
export function stackLayers(
  panel: PanelView,
  stacks: readonly Stack[],
  to: {
    readonly perPixel: number;
    readonly offset: (stack: Stack) => number;
    readonly shapes?: Readonly<Record<string, string>>;
  },
): VegaLiteSpec[] {
  const texts: VegaLiteSpec[] = [];
  const symbols: VegaLiteSpec[] = [];
  for (const stack of stacks) {
    const starts = itemStarts(stack);
    const offset = to.offset(stack);
    const common = { x: panel.x[stack.x] ?? '', series: stack.series.title, offset };
    for (const [i, { sources, text, isMuted }] of stack.items.entries()) {
      const at = (pixels: number): number =>
        digits(stack.base + (stack.gap + (starts[i] ?? 0) + pixels) * to.perPixel);
      for (const [j, source] of sources.entries())
        symbols.push({
          ...common,
          source,
          value: at(j * glyphRoom + 4),
          shape: to.shapes?.[source] ?? shapes[source],
        });
      texts.push({
        ...common,
        value: at(sources.length * glyphRoom),
        text,
        colour: isMuted ? mutedInk : ink,
      });
    }
  }
  return [...symbolLayers(panel, symbols), ...(texts.length > 0 ? [uprightTexts(texts)] : [])];
}

function symbolLayers(panel: PanelView, symbols: readonly VegaLiteSpec[]): VegaLiteSpec[] {
  const hollow = symbols.filter(({ source }) => source === 'predicted');
  const full = symbols.filter(({ source }) => source !== 'predicted');
  const shape = { field: 'shape', type: 'nominal', scale: null, legend: null };
  const layer = (values: readonly VegaLiteSpec[], mark: VegaLiteSpec, encoding: VegaLiteSpec): VegaLiteSpec[] =>
    values.length === 0 ? [] : [{ data: { values }, mark: { type: 'point', opacity: 1, ...mark }, encoding: { ...byOffset, shape, ...encoding } }]; // prettier-ignore
  return [
    ...layer(hollow, { size: 36, strokeWidth: 1.3, fill: '#ffffff' }, { stroke: seriesScale(panel) }),
    ...layer(full, { size: 46, strokeWidth: 0.7, stroke: ink }, { fill: seriesScale(panel) }),
  ];
}

/** Between half a capital and half a small letter: descenders reach as far to one side as capitals to the other. */
const uprightShift = 3;

function uprightTexts(values: readonly VegaLiteSpec[]): VegaLiteSpec {
  return {
    data: { values },
    mark: { type: 'text', angle: 270, align: 'left', baseline: 'alphabetic', dy: uprightShift, fontSize: sizes.small }, // prettier-ignore
    encoding: {
      ...byOffset,
      text: { field: 'text', type: 'nominal' },
      color: { field: 'colour', type: 'nominal', scale: null, legend: null },
    },
  };
}

/** Enough for a hundredth of a pixel, short in the file. */
export function digits(value: number): number {
  return Number(value.toPrecision(6));
}

/** A panel without any mark still has its axes; Vega-Lite wants a layer to hang them on. */
export function orEmpty(layers: readonly VegaLiteSpec[]): readonly VegaLiteSpec[] {
  return layers.length > 0 ? layers : [{ data: { values: [] }, mark: 'rule' }];
}
