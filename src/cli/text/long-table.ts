import type { Column } from '../../adapters/table.ts';
import { fitTable } from './fit-table.ts';

const gap = '  ';

/**
 * A plain table as `renderTable` draws it, of plain words: thousands of rows cost milliseconds, where a layout that
 * knows of cells over several columns takes seconds. It fits the terminal.
 * @param width of the terminal, in characters; null where the output is none (default: stdout's)
 */
export function longTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number | null,
): string {
  return fitTable(draw, columns, rows, width);
}

function draw(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, index) =>
    [titles, ...rows].reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), 0),
  );
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const width = widths[index] ?? 0;
        const text = row[index] ?? '';
        return align === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join(gap)
      .trimEnd();
  return [titles, ...rows].map(line).join('\n');
}
