import type { TimelineData, TimelineRow } from '../../timeline/timeline-data.ts';
import { round, type VegaLiteSpec } from '../drawing/draw.ts';
import { gridColour, ink } from '../drawing/palette.ts';
import { valueScale } from '../plots/value-scale.ts';
import { kindColours, otherKind, stepOpacity } from './lane-colours.ts';
import { boundLine, limitLine } from './timeline-legend.ts';
import { laneHeight, lanePitch, plotWidth, type RowLayout } from './timeline-layout.ts';

/** The lanes of one step, in milliseconds along the axis that all steps share. */
export function plotOf({ row, plotHeight: height }: RowLayout, data: TimelineData): VegaLiteSpec {
  const { ticks } = valueScale(data.axisMs);
  const x = {
    type: 'quantitative',
    scale: { domain: [0, digits(data.axisMs)], nice: false, zero: false },
    axis: {
      title: null,
      values: ticks,
      labels: false,
      ticks: false,
      domain: false,
      grid: true,
      gridColor: gridColour,
    },
  };
  const step = { from: 0, to: digits(row.stepMs), top: 0, bottom: height };
  return {
    width: plotWidth,
    height,
    layer: [
      {
        data: { values: [step] },
        mark: { type: 'rect', color: ink, opacity: stepOpacity },
        encoding: {
          x: { field: 'from', ...x },
          x2: { field: 'to' },
          y: pixelsDown('top'),
          y2: { field: 'bottom' },
        },
      },
      lanesLayer(row, x, kindScale(data)),
      ...ruleLayers(row, x, height),
    ],
  };
}

function pixelsDown(field: string): VegaLiteSpec {
  return { field, type: 'quantitative', scale: null, axis: null };
}

/** What happened: milliseconds, by lane and kind. */
function lanesLayer({ lanes }: TimelineRow, x: VegaLiteSpec, colours: VegaLiteSpec): VegaLiteSpec {
  const values = lanes.flatMap(({ key, parts }, index) => {
    const top = index * lanePitch + (lanePitch - laneHeight) / 2;
    return parts.map(({ kind, beginMs, endMs, level }) => {
      return {
        lane: key,
        kind,
        from: digits(beginMs),
        to: digits(endMs),
        level,
        top,
        bottom: top + laneHeight,
      };
    });
  });
  return {
    data: { values },
    mark: { type: 'rect' },
    encoding: {
      x: { field: 'from', ...x },
      x2: { field: 'to' },
      y: pixelsDown('top'),
      y2: { field: 'bottom' },
      fill: { field: 'kind', type: 'nominal', scale: colours, legend: null },
      fillOpacity: { field: 'level', type: 'quantitative', scale: null, legend: null },
    },
  };
}

/** One for all rows: Vega-Lite joins scales of one name. */
function kindScale({ rows }: TimelineData): VegaLiteSpec {
  const kinds = [
    ...new Set(rows.flatMap(({ lanes }) => lanes.flatMap(({ parts }) => parts.map(({ kind }) => kind)))),
  ];
  return { domain: kinds, range: kinds.map((kind) => kindColours[kind] ?? otherKind) };
}

/** The end of the step, and what it could be at least. */
function ruleLayers({ stepMs, bounds }: TimelineRow, x: VegaLiteSpec, height: number): VegaLiteSpec[] {
  const rule = (at: number, mark: VegaLiteSpec): VegaLiteSpec => ({
    data: { values: [{ at: digits(at), top: -3, bottom: height }] },
    mark: { type: 'rule', ...mark },
    encoding: { x: { field: 'at', ...x }, y: pixelsDown('top'), y2: { field: 'bottom' } },
  });
  const line = ({ colour, width, dash }: typeof limitLine | typeof boundLine): VegaLiteSpec => {
    return { color: colour, strokeWidth: width, strokeDash: dash };
  };
  return [
    rule(stepMs, { color: ink, strokeWidth: 1 }),
    ...(bounds === null
      ? []
      : [rule(bounds.limitMs, line(limitLine)), rule(bounds.dependentMs, line(boundLine))]),
  ];
}

/** Six digits: finer than any screen, and short in the file. */
function digits(value: number): number {
  return round(value * 100) / 100;
}
