import { sizes } from './sizes.ts';
import { fontFamily } from './text-width.ts';

/** Plain JSON, as Vega-Lite reads it. */
export interface VegaLiteSpec {
  readonly [key: string]: unknown;
}

/** A line of text at its place: pixels from its view's corner to the left end (or middle) of its base line. */
export interface DrawnText {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly size: number;
  readonly colour: string;
  readonly align: 'left' | 'center';
  /** Written upwards. */
  readonly isUpright?: boolean;
}

export interface DrawnSymbol {
  readonly x: number;
  readonly y: number;
  readonly shape: 'square' | 'circle' | 'diamond';
  readonly area: number;
  readonly fill: string;
  readonly stroke: string;
}

export interface DrawnLine {
  readonly x: number;
  readonly y: number;
  readonly x2: number;
  readonly y2: number;
  readonly colour: string;
  readonly width: number;
  readonly dash: readonly number[];
}

const pixels = { type: 'quantitative', scale: null, axis: null } as const;
const place = { x: { field: 'x', ...pixels }, y: { field: 'y', ...pixels } } as const;
const asIs = (field: string): VegaLiteSpec => ({ field, type: 'nominal', scale: null, legend: null });

/** A view without axes: texts and symbols by the pixel. What they say stands in its data. */
export function pageView(
  size: { readonly width: number; readonly height: number },
  drawn: {
    readonly texts: readonly DrawnText[];
    readonly symbols?: readonly DrawnSymbol[];
    readonly lines?: readonly DrawnLine[];
  },
): VegaLiteSpec {
  const layer = [
    ...lineLayers(drawn.lines ?? []),
    ...(drawn.symbols === undefined || drawn.symbols.length === 0 ? [] : [symbolLayer(drawn.symbols)]),
    ...textLayers(drawn.texts),
  ];
  // Vega-Lite wants at least one.
  return { ...size, view: { stroke: null }, layer: layer.length === 0 ? [textLayer([], {})] : layer };
}

function textLayers(texts: readonly DrawnText[]): VegaLiteSpec[] {
  const left = texts.filter(({ align, isUpright }) => align === 'left' && isUpright !== true);
  const centred = texts.filter(({ align, isUpright }) => align === 'center' && isUpright !== true);
  const upright = texts.filter(({ isUpright }) => isUpright === true);
  return [
    ...(left.length > 0 ? [textLayer(left, { align: 'left' })] : []),
    ...(centred.length > 0 ? [textLayer(centred, { align: 'center' })] : []),
    ...(upright.length > 0 ? [textLayer(upright, { align: 'center', angle: 270 })] : []),
  ];
}

function textLayer(texts: readonly DrawnText[], mark: VegaLiteSpec): VegaLiteSpec {
  return {
    data: {
      values: texts.map(({ x, y, text, size, colour }) => ({ x: round(x), y: round(y), text, size, colour })),
    },
    mark: { type: 'text', baseline: 'alphabetic', ...mark },
    encoding: {
      ...place,
      text: { field: 'text', type: 'nominal' },
      size: { field: 'size', type: 'quantitative', scale: null, legend: null },
      color: asIs('colour'),
    },
  };
}

function symbolLayer(symbols: readonly DrawnSymbol[]): VegaLiteSpec {
  return {
    data: { values: symbols.map((each) => ({ ...each, x: round(each.x), y: round(each.y) })) },
    mark: { type: 'point', strokeWidth: 1.2, opacity: 1 },
    encoding: {
      ...place,
      shape: asIs('shape'),
      size: { field: 'area', type: 'quantitative', scale: null, legend: null },
      fill: asIs('fill'),
      stroke: asIs('stroke'),
    },
  };
}

/** One layer a line: a dash is a property of the mark. */
function lineLayers(lines: readonly DrawnLine[]): VegaLiteSpec[] {
  return lines.map(({ x, y, x2, y2, colour, width, dash }) => ({
    data: { values: [{ x: round(x), y: round(y), x2: round(x2), y2: round(y2) }] },
    mark: {
      type: 'rule',
      color: colour,
      strokeWidth: width,
      ...(dash.length > 0 ? { strokeDash: dash } : {}),
    },
    encoding: { ...place, x2: { field: 'x2' }, y2: { field: 'y2' } },
  }));
}

/** A tenth of a pixel is finer than any screen, and short in the file. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** One style for every figure. */
export const drawConfig: VegaLiteSpec = {
  aria: false,
  font: fontFamily,
  view: { stroke: null },
  text: { fontSize: sizes.small, aria: false },
  bar: { aria: false },
  point: { aria: false },
  line: { aria: false },
  rule: { aria: false },
  tick: { aria: false },
};
