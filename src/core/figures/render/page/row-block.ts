import { barPlot } from '../plots/bar-plot.ts';
import type { DrawnText, VegaLiteSpec } from '../drawing/draw.ts';
import { linePlot } from '../plots/line-plot.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { xLabelRoom } from '../plots/plot.ts';
import type { Band } from './rows.ts';
import { plotWidth, type PanelPlan } from '../plots/slots.ts';
import { sizes } from '../drawing/sizes.ts';
import { wrapText } from '../drawing/text-width.ts';

/** A row of panels: the plots, and the texts around them, measured from the first plot's upper left corner. */
export interface RowBlock {
  readonly plots: readonly VegaLiteSpec[];
  readonly texts: readonly DrawnText[];
  /** Pixels above the plots that the titles take. */
  readonly above: number;
  /** Pixels from the plots' upper edge to the end of what stands below them. */
  readonly height: number;
}

const titleLine = 16;
const titleGap = 12;
const labelLine = 14;
const smallLine = 13;

/** @param axisTitle lines of the title of the values' axis, written upwards beside the first plot */
export function rowBlock(layout: Band, row: readonly PanelPlan[], axisTitle: readonly string[]): RowBlock {
  const bottom = layout.plotHeight + layout.strip;
  const labels = Math.max(0, ...row.map((plan) => placesRoom(plan, layout)));
  const texts: DrawnText[] = axisTitle.map((text, i) => {
    const x = -layout.tickRoom - 6 - (axisTitle.length - 1 - i) * labelLine;
    return { ...label, x, y: layout.plotHeight / 2, text, isUpright: true };
  });
  let x = 0;
  for (const [i, plan] of row.entries()) {
    const own = plotWidth(plan, layout.slots) + layout.tickRoom;
    // Right of the last plot there is no other one's numbers, and soon the end of the page.
    const titleWidth = i === row.length - 1 ? layout.width - x : own;
    texts.push(...panelTexts(plan, layout, { x, titleWidth, below: bottom + labels + 12 }));
    x += own + layout.gap;
  }
  const above = titleLine - Math.min(-titleGap, ...texts.map(({ y }) => y));
  const below = Math.max(bottom + labels, ...texts.map(({ y }) => y));
  return { plots: row.map((plan) => plotOf(layout, plan)), texts, above, height: below + 18 };
}

const label = { size: sizes.label, colour: ink, align: 'center' } as const;

/** Pixels below the plot that its places' labels take. */
function placesRoom(plan: PanelPlan, { slots }: Band): number {
  return xLabelRoom(plan.panel, plotWidth(plan, slots));
}

/** Its title above the plot, and below it the title of its places and what nobody ran. */
function panelTexts(
  plan: PanelPlan,
  layout: Band,
  at: { readonly x: number; readonly titleWidth: number; readonly below: number },
): DrawnText[] {
  const { panel, stacks, scale } = plan;
  const width = plotWidth(plan, layout.slots);
  const middle = at.x + width / 2;
  const title = wrapText(panel.title, sizes.heading, at.titleWidth);
  const xTitle = wrapText(panel.xTitle, sizes.label, width + layout.tickRoom);
  const notRun = panel.notRun === '' ? '' : `Not run: ${panel.notRun}`;
  const isEmpty = stacks.length === 0 && scale.ticks.length === 0;
  return [
    ...title.map((text, i): DrawnText => {
      const y = -titleGap - (title.length - 1 - i) * titleLine;
      return { x: at.x, y, text, size: sizes.heading, colour: ink, align: 'left' };
    }),
    ...xTitle.map((text, i) => ({ ...label, x: middle, y: at.below + labelLine * i, text })),
    ...wrapText(notRun, sizes.small, at.titleWidth).map((text, i): DrawnText => {
      const y = at.below + labelLine * xTitle.length + smallLine * i + 2;
      return { x: at.x, y, text, size: sizes.small, colour: mutedInk, align: 'left' };
    }),
    ...(isEmpty
      ? [{ ...label, x: middle, y: layout.plotHeight / 2, text: 'no numbers', colour: mutedInk }]
      : []),
  ];
}

function plotOf({ slots, plotHeight: height, strip, shape }: Band, plan: PanelPlan): VegaLiteSpec {
  const size = { width: plotWidth(plan, slots), height, strip };
  return shape === 'lines' ? linePlot(plan, slots, size) : barPlot(plan, slots, size);
}
