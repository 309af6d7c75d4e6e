import { renderTable, type Column } from '../../adapters/table.ts';
import { fitTable } from './fit-table.ts';
import { longTable } from './long-table.ts';

/** From here on a layout that knows of cells over several columns takes too long. */
const manyRows = 50;

/**
 * The table of a result. It fits the terminal.
 * @param width of the terminal, in characters; null where the output is none (default: stdout's)
 */
export function resultTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number | null,
): string {
  return rows.length > manyRows
    ? longTable(columns, rows, width)
    : fitTable(renderTable, columns, rows, width);
}
