import type { Lane, TimelineData, TimelineRow } from '../../timeline/timeline-data.ts';
import { plotCells } from '../../timeline/build-timeline.ts';
import type { DrawnText } from '../drawing/draw.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { pictureNumber, pictureText } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { fittedText, halfCapital, textWidth, wrapText } from '../drawing/text-width.ts';
import { laneDetail, laneTitles } from './lane-words.ts';

/** Where things stand in a picture of timelines, pixels. Texts are measured from the plot's upper left corner. */

/** Left of the plot: what the lanes are called. */
export const labelRoom = 92;
export const plotWidth = plotCells;
/** Right of the plot: milliseconds, the share of the step, and what else there is to say. */
const numbersAt = plotWidth + 10;
const msRoom = 34;
const shareRoom = 32;
const detailAt = numbersAt + msRoom + shareRoom + 8;
export const timelineWidth = 950;

export const lanePitch = 15;
export const laneHeight = 11;

export interface RowLayout {
  readonly row: TimelineRow;
  readonly headTexts: readonly DrawnText[];
  readonly headHeight: number;
  readonly laneTexts: readonly DrawnText[];
  readonly plotHeight: number;
}

/** @param isFirst its columns of numbers have heads */
export function rowLayout(row: TimelineRow, isFirst: boolean): RowLayout {
  const { texts, height } = headOf(row);
  return {
    row,
    headTexts: isFirst ? [...texts, ...numberHeads(height - 8)] : texts,
    headHeight: height,
    laneTexts: row.lanes.flatMap((lane, index) => textsOf(lane, index)),
    plotHeight: row.lanes.length * lanePitch,
  };
}

/** The mode and its time, large; below it how far that is from what the machine allows. */
function headOf(row: TimelineRow): { readonly texts: DrawnText[]; readonly height: number } {
  const width = timelineWidth;
  const lines = wrapText(
    `${pictureText(row.title, 120)}: ${pictureNumber(row.stepMs)} ms`,
    sizes.heading,
    width,
  );
  const under = wrapText(boundText(row), sizes.label, width);
  let y = 0;
  const write = (text: string, size: number, colour: string): DrawnText => {
    y += Math.round(size * 1.4);
    return { x: -labelRoom, y, text, size, colour, align: 'left' };
  };
  const texts = [
    ...lines.map((text) => write(text, sizes.heading, ink)),
    ...under.map((text) => write(text, sizes.label, mutedInk)),
  ];
  return { texts, height: y + 8 };
}

/** `7.4 times its bound of 458 ms; the busiest resource alone (host memory) needs 372 ms`. */
export function boundText({ bounds, stepMs }: TimelineRow): string {
  if (bounds === null) return '';
  const { dependentMs, limitMs, limitedBy } = bounds;
  const times = stepMs / dependentMs;
  return `${times.toFixed(times < 10 ? 2 : 1)} times its bound of ${pictureNumber(dependentMs)} ms; the busiest resource alone, ${limitedBy}, needs ${pictureNumber(limitMs)} ms`;
}

function textsOf(lane: Lane, index: number): DrawnText[] {
  const y = index * lanePitch + lanePitch / 2 + halfCapital * sizes.small;
  const common = { y, size: sizes.small, align: 'left' } as const;
  const right = (text: string, edge: number): DrawnText => {
    return { ...common, x: edge - textWidth(text, sizes.small), text, colour: ink };
  };
  const detail = (x: number): DrawnText[] => {
    const text = fittedText(laneDetail(lane), sizes.small, timelineWidth - labelRoom - x);
    return text === '' ? [] : [{ ...common, x, text, colour: mutedInk }];
  };
  const title = right(laneTitles[lane.key], -8);
  // The host does one or another of its phases all the time: the sum says nothing.
  if (lane.key === 'host') return [title, ...detail(numbersAt)];
  return [
    title,
    right(pictureNumber(lane.busyMs), numbersAt + msRoom),
    right(`${percent(lane.share)}%`, numbersAt + msRoom + shareRoom),
    ...detail(detailAt),
  ];
}

function percent(share: number): string {
  const value = 100 * share;
  return value > 0 && value < 1 ? '<1' : String(Math.round(value));
}

/** Above the columns of numbers. */
function numberHeads(y: number): DrawnText[] {
  const common = { y, size: sizes.small, colour: mutedInk, align: 'left' } as const;
  const head = (text: string, edge: number): DrawnText => {
    return { ...common, x: edge - textWidth(text, sizes.small), text };
  };
  return [head('ms', numbersAt + msRoom), head('share', numbersAt + msRoom + shareRoom)];
}

/** Pixels from the plot's left edge. */
export function plotX(ms: number, { axisMs }: Pick<TimelineData, 'axisMs'>): number {
  return (ms / axisMs) * plotWidth;
}
