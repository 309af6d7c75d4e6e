import type { GateReport, GateRow } from '../report.ts';
import { rowText, rowTitle } from './words.ts';

/** GitHub shows ten errors and ten warnings of a step (its documentation, "Limits for annotations"). */
const maxOfAKind = 10;

/**
 * Workflow commands that annotate a pull request: errors for what fails the gate, warnings for what leaves it open.
 * @param file the baseline beside the code, relative to the repository; null where there is none
 * @returns a line each
 */
export function githubAnnotations({ rows }: GateReport, file: string | null): string[] {
  const errors = rows.filter(({ status }) => status === 'regression' || status === 'failed');
  const warnings = rows.filter(({ status }) => ['inconclusive', 'missing', 'expected'].includes(status));
  return [
    ...errors.slice(0, maxOfAKind).map((row) => annotation('error', row, file)),
    ...warnings.slice(0, maxOfAKind).map((row) => annotation('warning', row, file)),
  ];
}

function annotation(level: 'error' | 'warning', row: GateRow, file: string | null): string {
  const properties = [
    ...(file === null ? [] : [`file=${escapeProperty(file)}`]),
    `title=${escapeProperty(`gate: ${row.status}: ${rowTitle(row)}`)}`,
  ];
  return `::${level} ${properties.join(',')}::${escapeData(rowText(row))}`;
}

/** As the runner reads a command's text back (actions/toolkit, packages/core/src/command.ts, escapeData). */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** In a property two more characters end it (the same file, escapeProperty). */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
