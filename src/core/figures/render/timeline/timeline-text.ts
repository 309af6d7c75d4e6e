import { markdownTable, markdownText } from '../../../text/markdown.ts';
import {
  partKeys,
  type Lane,
  type LaneKey,
  type TimelineData,
  type TimelineRow,
} from '../../timeline/timeline-data.ts';
import { pictureNumber } from '../drawing/picture-text.ts';
import { laneTitles, partTitles, tellingGroups } from './lane-words.ts';

/** A timeline in words and numbers: what stands beside the lanes, a column for each step. */
export interface SummaryLine {
  /** With its unit. */
  readonly title: string;
  /** One for each row of the picture; `–` where there is none. */
  readonly cells: readonly string[];
}

const none = '\u2013';

interface Measure {
  readonly title: string;
  readonly cell: (row: TimelineRow) => string | null;
}

/** The lines of the table; one that no step has anything to say to is left out. */
export function summaryLines({ rows }: Pick<TimelineData, 'rows'>): SummaryLine[] {
  const lines = measuresOf(rows).map(({ title, cell }) => ({
    title,
    cells: rows.map((row) => cell(row) ?? none),
  }));
  return lines.filter(({ cells }) => cells.some((cell) => cell !== none));
}

function measuresOf(rows: readonly TimelineRow[]): Measure[] {
  const phases = new Set(rows.flatMap((row) => laneOf(row, 'host')?.groups.map(({ kind }) => kind) ?? []));
  return [
    { title: 'whole step, ms', cell: ({ stepMs }) => pictureNumber(stepMs) },
    { title: 'median step of the run, ms', cell: ({ usualStepMs }) => numberText(usualStepMs) },
    ...[...phases].map((kind): Measure => {
      const ms = (row: TimelineRow): number | null => groupMs(row, 'host', kind);
      return { title: `${kind}, on the host, ms`, cell: (row) => numberText(ms(row)) };
    }),
    { title: 'GPU computes, ms', cell: (row) => busyText(row, 'gpu') },
    { title: 'copies to the host, ms', cell: (row) => copyText(row, 'down', copyTime) },
    { title: 'bytes to the host, GB', cell: (row) => copyText(row, 'down', copyBytes) },
    { title: 'copies to the GPU, ms', cell: (row) => copyText(row, 'up', copyTime) },
    { title: 'bytes to the GPU, GB', cell: (row) => copyText(row, 'up', copyBytes) },
    { title: 'CPU Adam, ms', cell: adamText },
    { title: 'Adam waits for gradients, ms', cell: (row) => busyText(row, 'waits') },
    {
      title: 'after the last Adam until the weights are back, ms',
      cell: ({ afterAdamMs }) => numberText(afterAdamMs),
    },
    { title: `${laneTitles.idle}, ms`, cell: (row) => busyText(row, 'idle') },
    {
      title: 'busiest resource alone, ms',
      cell: ({ bounds }) => bounds && `${pictureNumber(bounds.limitMs)} (${bounds.limitedBy})`,
    },
    { title: 'bound of the step, ms', cell: ({ bounds }) => numberText(bounds?.dependentMs ?? null) },
    {
      title: 'above the bound',
      cell: ({ bounds, stepMs }) => bounds && `${pictureNumber(100 * (stepMs / bounds.dependentMs - 1))}%`,
    },
  ];
}

export const partsTitle = `Parts of the step, ms: several go on at once; ${none}: the mode has none, or it was not recorded`;

/** How long each part of a step was going on, in milliseconds; a part that no step has is left out. */
export function partLines({ rows }: Pick<TimelineData, 'rows'>): SummaryLine[] {
  return partKeys
    .filter((key) => rows.some(({ partMs }) => partMs[key] !== null))
    .map((key) => ({
      title: partTitles[key],
      cells: rows.map(({ partMs }) => numberText(partMs[key]) ?? none),
    }));
}

function laneOf({ lanes }: TimelineRow, key: LaneKey): Lane | undefined {
  return lanes.find((lane) => lane.key === key);
}

function groupMs(row: TimelineRow, key: LaneKey, kind: string): number | null {
  return laneOf(row, key)?.groups.find((group) => group.kind === kind)?.ms ?? null;
}

function numberText(value: number | null): string | null {
  return value === null ? null : pictureNumber(value);
}

/** `245 (7%)` */
function busyText(row: TimelineRow, key: LaneKey): string | null {
  const lane = laneOf(row, key);
  return lane === undefined ? null : `${pictureNumber(lane.busyMs)} (${(100 * lane.share).toFixed(0)}%)`;
}

function adamText(row: TimelineRow): string | null {
  const lane = laneOf(row, 'adam');
  return lane === undefined
    ? null
    : `${pictureNumber(lane.busyMs)} (${(100 * lane.share).toFixed(0)}%), from ${pictureNumber(lane.fromMs)} to ${pictureNumber(lane.toMs)}`;
}

type Group = Lane['groups'][number];

/** `78 + 626 pageable`: page-locked memory first. */
function copyText(row: TimelineRow, key: 'down' | 'up', textOf: (group: Group) => string): string | null {
  const lane = laneOf(row, key);
  const groups =
    lane === undefined ? [] : [...tellingGroups(lane)].sort((a, b) => (a.kind < b.kind ? 1 : -1));
  return groups.length === 0
    ? null
    : groups.map((group) => `${textOf(group)}${group.kind === 'pageable' ? ' pageable' : ''}`).join(' + ');
}

function copyTime({ ms, gbps }: Group): string {
  return `${pictureNumber(ms)} (${pictureNumber(gbps ?? 0)} GB/s)`;
}

function copyBytes({ bytes }: Group): string {
  return pictureNumber((bytes ?? 0) / 1e9);
}

/** What is said of the picture as a whole. */
export function timelineFacts({ system, conditions, functional }: TimelineData): string[] {
  return [
    `${[system.title, ...conditions].join(', ')}.`,
    ...(functional ? ['Functional: measured on CPUs. It shows that it works, not how fast it is.'] : []),
  ];
}

export function timelineMarkdown(data: TimelineData): string {
  const head = ['', ...data.rows.map(({ title }) => markdownText(title))];
  const table = (lines: readonly SummaryLine[]): string =>
    markdownTable(
      head,
      lines.map(({ title, cells }) => [markdownText(title), ...cells]),
    ).trimEnd();
  const parts = [
    `## ${markdownText(data.title)}`,
    ...timelineFacts(data).map((fact) => markdownText(fact)),
    table(summaryLines(data)),
    `${markdownText(partsTitle)}:`,
    table(partLines(data)),
    data.footnotes.map((note) => `- ${markdownText(note)}`).join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
