import { groupBy } from '../../../collections/group-by.ts';
import { csvText } from '../../../text/csv.ts';
import { formatNumber } from '../../../text/format.ts';
import { markdownTable, markdownText } from '../../../text/markdown.ts';
import { figureTitle, type FigureData, type Mark, type MarkSource } from '../../figure-data.ts';
import { isAtLeast, sourceTitles, stateText } from './mark-words.ts';

/** A figure in words: the same marks as in the picture, each with its source. */

/** One row of a panel's table: a place along the axis and a series. */
export interface FigureRow {
  readonly x: string;
  readonly series: string;
  /** In the order of {@link figureSources}; `–` where there is no mark. */
  readonly cells: readonly string[];
  readonly notes: string;
}

export interface FigureTable {
  readonly title: string;
  readonly xTitle: string;
  readonly rows: readonly FigureRow[];
}

export const figureSources = ['measured', 'predicted', 'published'] as const satisfies readonly MarkSource[];

/** A table for each panel, in the order of the picture; places and series without any mark are left out. */
export function figureTables({ panels, series, marks }: FigureData): FigureTable[] {
  const byPlace = groupBy(marks, (mark) => JSON.stringify([mark.panel, mark.x, mark.series]));
  return panels.map(({ key, title, xTitle, x, inPaper }) => ({
    title: inPaper ? title : `${title} (not in the paper)`,
    xTitle,
    rows: x.flatMap((place) =>
      series.flatMap((each) => {
        const own = byPlace.get(JSON.stringify([key, place, each.key])) ?? [];
        return own.length === 0 ? [] : [rowOf(place, each.title, own)];
      }),
    ),
  }));
}

function rowOf(x: string, series: string, marks: readonly Mark[]): FigureRow {
  const cells = figureSources.map((source) => {
    const mark = marks.find((each) => each.source === source);
    return mark === undefined ? '\u2013' : cellText(mark);
  });
  return { x, series, cells, notes: [...new Set(marks.flatMap(({ notes }) => notes))].join('; ') };
}

/** `143.2 [140.1, 146.0]`, `≥ 6.1`, `OOM GPU`, `not run`. */
function cellText(mark: Mark): string {
  if (mark.value === null || !Number.isFinite(mark.value)) return stateText(mark) || 'no number';
  const { low, high } = mark;
  const interval = low === null || high === null ? '' : ` [${formatNumber(low)}, ${formatNumber(high)}]`;
  return `${isAtLeast(mark) ? '\u2265 ' : ''}${formatNumber(mark.value)}${interval}`;
}

/** What is said of a figure as a whole, a sentence each: the machine, what is not as in the paper. */
export function figureFacts({ system, functional, differences, unit }: FigureData): string[] {
  return [
    `On ${system.title}. Values: ${unit}.`,
    ...(functional ? ['Functional: measured on CPUs. It shows that it works, not how fast it is.'] : []),
    ...(differences.length > 0 ? [`Not as in the paper: ${differences.join(' \u00b7 ')}.`] : []),
  ];
}

/** The heads of a table's columns, after the place. */
export const tableHeads = [
  'series',
  ...figureSources.map((source) => sourceTitles[source]),
  'notes',
] as const;

/** Markdown: the facts, a table for each panel, the footnotes. */
export function figureMarkdown(data: FigureData): string {
  const tables = figureTables(data).flatMap(({ title, xTitle, rows }) => [
    `### ${markdownText(title)}`,
    rows.length === 0
      ? 'Nothing was measured, predicted or published here.'
      : markdownTable(
          [markdownText(xTitle), ...tableHeads],
          rows.map(({ x, series, cells, notes }) => [
            markdownText(x),
            markdownText(series),
            ...cells,
            markdownText(notes),
          ]),
        ).trimEnd(),
  ]);
  const parts = [
    `## ${markdownText(figureTitle(data))}`,
    ...figureFacts(data).map((fact) => markdownText(fact)),
    ...tables,
    data.footnotes.map((note) => `- ${markdownText(note)}`).join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const csvHead = ['figure', 'system', 'functional', 'panel', 'chips', 'x', 'series', 'source', 'state', 'value', 'low', 'high', 'unit', 'interval', 'memory', 'runs', 'notes']; // prettier-ignore

/** CSV: a line for each mark, its names as they are in the data. */
export function figureCsv({ figure, system, functional, unit, panels, marks }: FigureData): string {
  const chips = new Map(panels.map((panel) => [panel.key, panel.chips]));
  const rows = marks.map((mark) => [
    ...[figure, system.name, functional, mark.panel, chips.get(mark.panel) ?? null, mark.x, mark.series],
    ...[mark.source, mark.state, mark.value, mark.low, mark.high, unit, mark.basis, mark.wall],
    ...[mark.runIds.join(' '), mark.notes.join('; ')],
  ]);
  return csvText(csvHead, rows);
}
