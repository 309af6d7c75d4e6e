import { figureTitle, type FigureData } from '../../figure-data.ts';
import { drawConfig, pageView, type VegaLiteSpec } from '../drawing/draw.ts';
import { figureView } from '../view/figure-view.ts';
import { legendBlock } from './legend.ts';
import { footBlock, headBlock, type Block } from './page-block.ts';
import { mutedInk } from '../drawing/palette.ts';
import { pictureText } from '../drawing/picture-text.ts';
import { rowBlock } from './row-block.ts';
import { fullHeight, layoutOf, plotHeights, type Band, type Layout } from './rows.ts';
import { sizes } from '../drawing/sizes.ts';
import { figureSummary } from './summary.ts';
import { textWidth, wrapText } from '../drawing/text-width.ts';

export type { VegaLiteSpec } from '../drawing/draw.ts';

/** White around everything, and what a page is at least wide: pixels. */
const margin = 16;
const leastWidth = 600;

/**
 * The picture of a figure as a Vega-Lite specification (v6) that carries its data: whoever has the text can draw it
 * again, and finds the whole {@link FigureData} under `usermeta`. Every place in it is computed here from the data and
 * the shipped font: none is left to the machine that draws.
 */
export function vegaLiteSpec(data: FigureData): VegaLiteSpec {
  const view = figureView(data);
  const mostLines = Math.max(1, ...plotHeights(view).map((height) => axisLines(data, height).length));
  const titleRoom = mostLines * 14 + 4;
  const layout = layoutOf(view, titleRoom);
  const left = titleRoom + layout.tickRoom;
  const width = Math.max(leastWidth, left + layout.width);
  const blocks = [headBlock(view, width), legendBlock(view, width), footBlock(view, width)];
  const toView = (block: Block): VegaLiteSpec => blockView(block, width, left);
  const views = [
    ...blocks.slice(0, 2).map(toView),
    ...bandViews(layout, data),
    ...blocks.slice(2).map(toView),
  ];
  const height = views.reduce(
    (sum, each) => sum + (typeof each['height'] === 'number' ? each['height'] : 0),
    0,
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: figureSummary(data),
    usermeta: {
      tool: `superoffload ${data.tool}`,
      title: pictureText(figureTitle(data)),
      figure: data,
    },
    background: '#ffffff',
    // The page's size is said, not found out: a text's width would move it from machine to machine.
    autosize: 'none',
    params: [
      { name: 'width', value: Math.ceil(width - left) + margin },
      { name: 'height', value: Math.ceil(height) + margin },
    ],
    padding: { left: left + margin, top: margin, right: 0, bottom: 0 },
    bounds: 'flush',
    spacing: 0,
    vconcat: views,
    config: drawConfig,
  };
}

/** The title of the values' axis, as many lines as the plot is high for; beside a low one the unit alone. */
function axisLines({ unit }: FigureData, plotHeight: number): string[] {
  const whole = pictureText(unit, 160);
  const isLong = textWidth(whole, sizes.label) > plotHeight - 10;
  return wrapText(
    plotHeight < fullHeight && isLong ? (whole.split(',')[0] ?? whole) : whole,
    sizes.label,
    plotHeight - 10,
  );
}

/** Blocks are measured from the page's left edge, views from the first plot's. */
function blockView({ texts, symbols, lines, height }: Block, width: number, left: number): VegaLiteSpec {
  return pageView(
    { width: Math.ceil(width - left), height: Math.ceil(height) },
    {
      texts: texts.map((each) => ({ ...each, x: each.x - left })),
      symbols: symbols.map((each) => ({ ...each, x: each.x - left })),
      lines: lines.map((each) => ({ ...each, x: each.x - left, x2: each.x2 - left })),
    },
  );
}

function bandViews(layout: Layout, data: FigureData): VegaLiteSpec[] {
  if (layout.bands.length > 0)
    return layout.bands.flatMap((band) => rowViews(band, axisLines(data, band.plotHeight)));
  const nothing = {
    x: 0,
    y: 20,
    text: 'no panels',
    size: sizes.label,
    colour: mutedInk,
    align: 'left' as const,
  };
  return [pageView({ width: 1, height: 40 }, { texts: [nothing] })];
}

/**
 * Each row of plots, and over it a view of its texts. Flush, a row of views counts nothing to the height of the page
 * (Vega gives it no size of its own), so the texts' view, which has a height, begins at the row's upper edge.
 */
function rowViews(band: Band, axisTitle: readonly string[]): VegaLiteSpec[] {
  return band.rows.flatMap((row) => {
    const { plots, texts, above, height } = rowBlock(band, row, axisTitle);
    const spacer = pageView({ width: 1, height: above }, { texts: [] });
    const plot = { hconcat: plots, bounds: 'flush', spacing: band.gap + band.tickRoom };
    return [spacer, plot, pageView({ width: Math.ceil(band.width), height: Math.ceil(height) }, { texts })];
  });
}
