import { shownLine } from '../../../text/plain.ts';
import { laneKeys, type Lane, type TimelineData } from '../../timeline/timeline-data.ts';
import { drawConfig, pageView, type DrawnText, type VegaLiteSpec } from '../drawing/draw.ts';
import type { Block } from '../page/page-block.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { pictureNumber, pictureText } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { textWidth, wrapText } from '../drawing/text-width.ts';
import { valueScale } from '../plots/value-scale.ts';
import { timelineLegend } from './timeline-legend.ts';
import { labelRoom, plotWidth, plotX, rowLayout, timelineWidth, type RowLayout } from './timeline-layout.ts';
import { plotOf } from './timeline-plot.ts';

/** White around everything, pixels. */
const margin = 16;
const rowGap = 12;

/** Against white 7.1: a reader must not take it for small print. */
const warningColour = '#a4262c';

/**
 * The picture of timelines as a Vega-Lite specification (v6) that carries its data, as `vegaLiteSpec` is of the paper's
 * figures: every place is computed here from the data and the shipped font.
 */
export function timelineSpec(data: TimelineData): VegaLiteSpec {
  const layouts = data.rows.map((row, index) => rowLayout(row, index === 0));
  const views = [
    blockView(headBlock(data)),
    blockView(timelineLegend(data)),
    ...layouts.flatMap((layout) => rowViews(layout, data)),
    axisView(data),
    blockView(footBlock(data)),
  ];
  const height = views.reduce(
    (sum, view) => sum + (typeof view['height'] === 'number' ? view['height'] : 0),
    0,
  );
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: timelineSummary(data),
    usermeta: {
      tool: `superoffload ${data.tool}`,
      title: pictureText(data.title),
      figure: withoutParts(data),
    },
    background: '#ffffff',
    autosize: 'none',
    params: [
      { name: 'width', value: timelineWidth - labelRoom + margin },
      { name: 'height', value: Math.ceil(height) + margin },
    ],
    padding: { left: labelRoom + margin, top: margin, right: 0, bottom: 0 },
    bounds: 'flush',
    spacing: 0,
    vconcat: views,
    config: drawConfig,
  };
}

/** What is drawn stands in the views' own data. */
function withoutParts(data: TimelineData): object {
  const bare = (lane: Lane): object =>
    Object.fromEntries(Object.entries(lane).filter(([key]) => key !== 'parts'));
  return { ...data, rows: data.rows.map((row) => ({ ...row, lanes: row.lanes.map(bare) })) };
}

function headBlock(data: TimelineData): Block {
  const texts: DrawnText[] = [];
  let y = 0;
  const write = (text: string, size: number, colour: string): void => {
    for (const line of wrapText(text, size, timelineWidth)) {
      y += Math.round(size * 1.35);
      texts.push({ x: 0, y, text: line, size, colour, align: 'left' });
    }
  };
  write(pictureText(data.title, 140), sizes.title, ink);
  y += 2;
  write(
    [data.system.title, ...data.conditions].map((text) => pictureText(text, 120)).join(', '),
    sizes.heading,
    ink,
  );
  if (data.functional)
    write(
      'Functional: measured on CPUs. It shows that it works, not how fast it is.',
      sizes.heading,
      warningColour,
    );
  return { texts, symbols: [], lines: [], height: y + 8 };
}

function footBlock({ footnotes, tool }: TimelineData): Block {
  const lines = [
    ...footnotes.map((each) => pictureText(each)),
    `Drawn by superoffload ${pictureText(tool, 40)}.`,
  ].flatMap((text) => wrapText(text, sizes.small, timelineWidth));
  const texts = lines.map((text, i) => {
    return { x: 0, y: 14 * (i + 1), text, size: sizes.small, colour: mutedInk, align: 'left' as const };
  });
  return { texts, symbols: [], lines: [], height: 14 * lines.length + 6 };
}

/** Blocks are measured from the page's left edge, views from the plot's. */
function blockView({ texts, symbols, lines, height }: Block): VegaLiteSpec {
  return pageView(
    { width: timelineWidth - labelRoom, height: Math.ceil(height) },
    {
      texts: texts.map((each) => ({ ...each, x: each.x - labelRoom })),
      symbols: symbols.map((each) => ({ ...each, x: each.x - labelRoom })),
      lines: lines.map((each) => ({ ...each, x: each.x - labelRoom, x2: each.x2 - labelRoom })),
    },
  );
}

function textView(texts: readonly DrawnText[], height: number): VegaLiteSpec {
  return pageView({ width: timelineWidth - labelRoom, height }, { texts });
}

/** As in spec.ts: a row of views counts nothing to the page's height, so the texts' view, which has one, lies over it. */
function rowViews(layout: RowLayout, data: TimelineData): VegaLiteSpec[] {
  const { headTexts, headHeight, laneTexts, plotHeight } = layout;
  const plot = { hconcat: [plotOf(layout, data)], bounds: 'flush', spacing: 0 };
  return [textView(headTexts, headHeight), plot, textView(laneTexts, plotHeight + rowGap)];
}

function axisView(data: TimelineData): VegaLiteSpec {
  const { ticks } = valueScale(data.axisMs);
  const common = { size: sizes.small, colour: ink, align: 'center' } as const;
  const labels = ticks.map((tick) => ({ ...common, x: plotX(tick, data), y: -2, text: pictureNumber(tick) }));
  const title = 'milliseconds from the beginning of the step';
  const texts = [...labels, { ...common, size: sizes.label, x: plotWidth / 2, y: 13, text: title }];
  return textView(
    texts.map((text) => ({ ...text, x: Math.max(text.x, textWidth(text.text, text.size) / 2 - labelRoom) })),
    24,
  );
}

/** What a listener hears in place of the picture. */
function timelineSummary({ title, system, conditions, functional, rows }: TimelineData): string {
  const parts = [
    `${title}, on ${[system.title, ...conditions].join(', ')}.`,
    ...(functional ? ['Measured on CPUs: functional, not a speed.'] : []),
    ...rows.map(({ title: name, stepMs, lanes }) => {
      const busy = laneKeys.flatMap((key) => {
        const lane = lanes.find((each) => each.key === key);
        return lane === undefined || key === 'host' ? [] : [`${key} ${pictureNumber(lane.busyMs)}`];
      });
      return `${name}: ${pictureNumber(stepMs)} ms; ${busy.join(', ')}.`;
    }),
  ];
  return shownLine(parts.join(' '), 1200);
}
