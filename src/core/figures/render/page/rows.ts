import type { MarkSource } from '../../figure-data.ts';
import { barStacks } from '../plots/bar-plot.ts';
import { marksOf, sliceOf, type FigureView } from '../view/figure-view.ts';
import { lineStacks, mostAtOnePlace, stripOf } from '../plots/line-plot.ts';
import { tickRoom } from '../plots/plot.ts';
import {
  groupWidth,
  lineSlots,
  minPitch,
  pageWidth,
  plotWidth,
  slotsOf,
  type PanelPlan,
  type Slots,
} from '../plots/slots.ts';
import { topOf } from '../plots/stacks.ts';
import { sharedEnds, upperEnd, valueScale } from '../plots/value-scale.ts';

/** Panels of a figure in rows, all in one scheme of slots. Pixels. */
export interface Band {
  readonly rows: readonly (readonly PanelPlan[])[];
  readonly slots: Slots;
  readonly shape: 'bars' | 'lines';
  readonly plotHeight: number;
  /** Below zero; 0 for bars. */
  readonly strip: number;
  /** Left of each plot, for the numbers of its ticks. */
  readonly tickRoom: number;
  /** Between a plot and the next one's numbers. */
  readonly gap: number;
  /** Of the plots with what stands between them; of the widest row of the page. */
  readonly width: number;
}

/** What was run, and below it what nobody ran, smaller. */
export interface Layout {
  readonly bands: readonly Band[];
  readonly tickRoom: number;
  readonly width: number;
}

/** From zero to the upper edge, pixels. */
export const fullHeight = 250;
const idleHeight = 130;
const gap = 20;
const widestPitch = 56;
const widestLineGap = 60;

/** Bands of a figure, without their places. */
interface Part {
  readonly plans: readonly PanelPlan[];
  readonly plotHeight: number;
  readonly schemes: readonly Slots[];
}

/** How high the plots of the figure's bands are: for the titles of their axes. */
export function plotHeights({ panels }: FigureView): number[] {
  const idle = panels.filter(({ isIdle }) => isIdle).length;
  return [...(idle < panels.length ? [fullHeight] : []), ...(idle > 0 ? [idleHeight] : [])];
}

/** @param titleRoom pixels that the title of the axis takes beside the first plot of a row */
export function layoutOf(view: FigureView, titleRoom: number): Layout {
  const parts = plotHeights(view).map((height) => partOf(view, height));
  const plans = parts.flatMap((part) => part.plans);
  const tickRoomOf = Math.ceil(Math.max(8, ...plans.map(({ scale }) => tickRoom(scale))));
  const bands = parts.map((part) =>
    bandOf(part, view.data.shape, tickRoomOf, pageWidth - titleRoom - tickRoomOf),
  );
  const width = Math.max(0, ...bands.map((band) => band.width));
  return { bands: bands.map((band) => ({ ...band, width })), tickRoom: tickRoomOf, width };
}

function partOf(view: FigureView, plotHeight: number): Part {
  const isIdle = plotHeight === idleHeight;
  const own = { ...view, panels: view.panels.filter((panel) => panel.isIdle === isIdle) };
  const isBars = view.data.shape === 'bars';
  const schemes = isBars ? barSchemes(view) : lineSchemes();
  return {
    plans: isBars ? barPlans(own, plotHeight) : linePlans(own, plotHeight),
    plotHeight,
    // What nobody ran takes no more room than it must.
    schemes: isIdle ? schemes.slice(-1) : schemes,
  };
}

/** @param room pixels that a row of plots may take */
function bandOf(
  { plans, plotHeight, schemes }: Part,
  shape: Band['shape'],
  ticks: number,
  room: number,
): Band {
  const strip = shape === 'bars' ? 0 : stripOf(plans.flatMap(({ stacks }) => stacks));
  const widthOf = (row: readonly PanelPlan[], slots: Slots): number =>
    row.reduce((sum, plan) => sum + plotWidth(plan, slots), (row.length - 1) * (gap + ticks));
  const tightest = schemes.at(-1) ?? lineSlots;
  const parts = plans.flatMap((plan) => partsOf(plan, tightest, room));
  const rows = fewestRows(parts, (row) => widthOf(row, tightest) <= room);
  const slots = schemes.find((each) => rows.every((row) => widthOf(row, each) <= room)) ?? tightest;
  const width = Math.max(0, ...rows.map((row) => widthOf(row, slots)));
  return { rows, slots, shape, plotHeight, strip, tickRoom: ticks, gap, width };
}

/** From the widest to the tightest that can still be read. */
function barSchemes({ sources }: FigureView): Slots[] {
  const least = minPitch(sources);
  return Array.from({ length: widestPitch - least + 1 }, (_, i) => slotsOf(sources, widestPitch - i));
}

function lineSchemes(): Slots[] {
  const { groupGap } = lineSlots;
  return Array.from({ length: widestLineGap - groupGap + 1 }, (_, i) => ({
    ...lineSlots,
    groupGap: widestLineGap - i,
  }));
}

function barPlans(view: FigureView, plotHeight: number): PanelPlan[] {
  const { figure } = view.data;
  // An ablation's bars are read by their ratios; what is predicted stands by its height alone.
  const isNumbered = (source: MarkSource): boolean =>
    figure === 13 || (figure === 'ablation' && source !== 'predicted');
  const words = view.panels.map((panel) => barStacks(view, panel, (_, source) => isNumbered(source)));
  const own = view.panels.map((panel, i) => upperEnd(marksOf(panel).map(topOf), words[i] ?? [], plotHeight));
  // The bars of an ablation are held against the first of their panel.
  const ends = figure === 'ablation' ? own : sharedEnds(own);
  return view.panels.map((panel, i) => {
    const scale = valueScale(ends[i] ?? 0);
    // A bar too low to be seen says its number.
    const isLow = (value: number, source: MarkSource): boolean =>
      isNumbered(source) || (source !== 'published' && (value / scale.max) * plotHeight < 4);
    return { panel, scale, stacks: barStacks(view, panel, isLow), columns: panel.series.length };
  });
}

function linePlans(view: FigureView, plotHeight: number): PanelPlan[] {
  const ends = sharedEnds(view.panels.map((panel) => upperEnd(marksOf(panel).map(topOf), [], plotHeight)));
  return view.panels.map((panel, i) => {
    const stacks = lineStacks(view, panel);
    return { panel, scale: valueScale(ends[i] ?? 0), stacks, columns: mostAtOnePlace(stacks) };
  });
}

/** A panel wider than the page is cut between two places of its axis, into parts of about one length. */
function partsOf(plan: PanelPlan, slots: Slots, room: number): PanelPlan[] {
  const { panel, stacks } = plan;
  const fits = Math.max(1, Math.floor(room / groupWidth(plan, slots)));
  const count = Math.ceil(panel.x.length / fits);
  if (count <= 1) return [plan];
  const each = Math.ceil(panel.x.length / count);
  return Array.from({ length: Math.ceil(panel.x.length / each) }, (_, part) => {
    const from = part * each;
    const to = Math.min(panel.x.length, from + each);
    const own = stacks
      .filter(({ x }) => x >= from && x < to)
      .map((stack) => ({ ...stack, x: stack.x - from }));
    return { ...plan, panel: sliceOf(panel, from, to), stacks: own };
  });
}

/** In their order, or the paper's panels before one's own where that takes fewer rows. */
function fewestRows(
  parts: readonly PanelPlan[],
  holds: (row: readonly PanelPlan[]) => boolean,
): PanelPlan[][] {
  const inOrder = packed(parts, holds);
  const isPaper = ({ panel }: PanelPlan): boolean => panel.inPaper;
  const paperFirst = packed([...parts.filter(isPaper), ...parts.filter((part) => !isPaper(part))], holds);
  return paperFirst.length < inOrder.length ? paperFirst : inOrder;
}

/** As many in a row as it holds. */
function packed(parts: readonly PanelPlan[], holds: (row: readonly PanelPlan[]) => boolean): PanelPlan[][] {
  const rows: PanelPlan[][] = [];
  for (const part of parts) {
    const last = rows.at(-1);
    if (last !== undefined && holds([...last, part])) last.push(part);
    else rows.push([part]);
  }
  return rows;
}
