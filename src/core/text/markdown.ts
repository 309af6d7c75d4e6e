import { shownLine } from './plain.ts';

/** Text as Markdown (CommonMark, GitHub's tables) shows it: nothing in it is markup, a link or a line of its own. */
export function markdownText(text: string, maxChars?: number): string {
  return shownLine(text, maxChars)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]#!|~$@]/g, '\\$&')
    .replaceAll('://', '\\://')
    .replace(/^([-+=])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2');
}

/** A table of texts that are Markdown already. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(header) + line(header.map(() => '---')) + rows.map(line).join('');
}
