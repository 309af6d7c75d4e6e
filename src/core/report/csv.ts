import { plainText } from './plain.ts';

export type CsvCell = string | number | boolean | null;

/**
 * RFC 4180 with LF. Text that a spreadsheet would run as a formula (OWASP, "CSV injection": it begins with = + - @, a
 * tab or a carriage return) gets an apostrophe before it; numbers stay numbers.
 */
export function csvText(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\n`).join('');
}

/** Nothing that was measured has more. */
const digits = 7;

function csvCell(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(Number(cell.toPrecision(digits))) : '';
  const plain = plainText(String(cell));
  const text = /^\s*[=+\-@\t\uff1d\uff0b\uff0d\uff20]/.test(plain) ? `'${plain}` : plain;
  return /[",\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
