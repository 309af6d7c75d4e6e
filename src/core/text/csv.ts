import { plainText } from './plain.ts';

export type CsvCell = string | number | boolean | null;

/**
 * RFC 4180 with LF. Text that a spreadsheet would run as a formula (OWASP, "CSV injection": it begins with = + - @, a
 * tab or a carriage return) gets an apostrophe before it; numbers stay numbers.
 */
export function csvText(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map((cells) => `${csvLine(cells)}\n`).join('');
}

/** One row of {@link csvText}, without its end. */
export function csvLine(cells: readonly CsvCell[]): string {
  return cells.map(csvCell).join(',');
}

/** Nothing that was measured has more. */
const digits = 7;

/** A count is exact. */
function csvNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : '';
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return csvNumber(cell);
  const plain = plainText(String(cell));
  const text = /^\s*[=+\-@\t\uff1d\uff0b\uff0d\uff20]/.test(plain) ? `'${plain}` : plain;
  return /[",\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
