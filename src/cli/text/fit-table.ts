import type { Column } from '../../adapters/table.ts';

/** A table, drawn without regard for any width. */
export type Draw = (columns: readonly Column[], rows: readonly (readonly string[])[]) => string;
type Rows = readonly (readonly string[])[];

const gap = 2;
/** A text that is cut shorter than this says nothing any more. */
const leastText = 16;

/** A run's id: its second, its case, and four digits by which `runs show` and the like find it too. */
const runId = /(\d{8}T\d{6}Z)-[\w.+-]*?-([0-9a-f]{4})(?![\w-])/g;
/** Ever shorter: the second and the digits, the digits. */
const shortIds = ['$1..$2', '..$2'] as const;

/**
 * A table for a person. On a terminal that is too narrow for it ids are shortened, then the column that may be cut is,
 * then each row becomes some lines: no table is ever broken by the terminal. Anywhere else it stays whole.
 * @param width of the terminal, in characters; null where the output is none
 */
export function fitTable(
  draw: Draw,
  columns: readonly Column[],
  rows: Rows,
  width: number | null = widthOf(process.stdout),
): string {
  if (width === null || widthOfTable(columns, rows) <= width) return draw(columns, rows);
  for (const short of shortIds) {
    const shortened = withShortIds(rows, short);
    if (widthOfTable(columns, shortened) <= width) return draw(columns, shortened);
  }
  const shortest = withShortIds(rows, shortIds[1]);
  const cut = withCutText(columns, shortest, width);
  return cut === null ? foldedRows(columns, shortest, width) : draw(columns, cut);
}

/** @returns the width of a terminal; null for a pipe, a file, and a terminal that does not say */
export function widthOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): number | null {
  return stream.isTTY === true && (stream.columns ?? 0) > 0 ? (stream.columns ?? null) : null;
}

function columnWidths(columns: readonly Column[], rows: Rows): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), title.length),
  );
}

function widthOfTable(columns: readonly Column[], rows: Rows): number {
  const widths = columnWidths(columns, rows);
  return widths.reduce((sum, each) => sum + each, gap * (widths.length - 1));
}

function withShortIds(rows: Rows, short: string): string[][] {
  return rows.map((row) => row.map((cell) => cell.replaceAll(runId, short)));
}

/** @returns null where no column may be cut, or too little would be left of it */
function withCutText(columns: readonly Column[], rows: Rows, width: number): string[][] | null {
  const at = columns.findIndex(({ cut }) => cut === true);
  if (at === -1) return null;
  const own = columnWidths(columns, rows)[at] ?? 0;
  const left = own - (widthOfTable(columns, rows) - width);
  if (left < leastText) return null;
  return rows.map((row) => row.map((cell, index) => (index === at ? cutTo(cell, left) : cell)));
}

function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 2).trimEnd()}..`;
}

/** The first words of each row as a heading, then what the others say, as many in a line as fit. */
function foldedRows(columns: readonly Column[], rows: Rows, width: number): string {
  return rows.map((row) => foldedRow(columns, row, width)).join('\n');
}

function foldedRow(columns: readonly Column[], row: readonly string[], width: number): string {
  const headings = columns[1]?.align === 'right' ? 1 : 2;
  const parts = row.slice(headings).flatMap((cell, index) => {
    const column = columns[headings + index];
    const part = `${column?.title ?? ''} ${cell}`;
    return cell === '' || cell === '-' ? [] : [column?.cut === true ? cutTo(part, width - 2) : part];
  });
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + part.length <= width)
      lines.push(`${lines.pop() ?? ''} | ${part}`);
    else lines.push(`  ${part}`);
  }
  return [row.slice(0, headings).join('  '), ...lines].join('\n');
}
