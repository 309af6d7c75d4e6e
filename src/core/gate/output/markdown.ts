import { markdownTable, markdownText } from '../../text/markdown.ts';
import { caseTitle } from '../gate-case.ts';
import type { GateReport, GateRow, RowStatus } from '../report.ts';
import { gateRule } from '../report.ts';
import { rowCells, verdictLine } from './words.ts';

/** What needs a look first. */
const order: readonly RowStatus[] = [
  'failed',
  'regression',
  'inconclusive',
  'missing',
  'expected',
  'improved',
  'new',
  'pass',
];

/** A job's summary has room for 1 MiB (GitHub); thousands of rows are no summary anyway. */
const maxRows = 200;

/** A summary for a pull request or a job: verdict, a table of ratios with their intervals, reasons, notes. */
export function gateMarkdown(report: GateReport): string {
  const rows = order.flatMap((status) => report.rows.filter((row) => row.status === status));
  const shown = rows.slice(0, maxRows);
  const reasons = shown.filter(({ status }) => status !== 'pass' && status !== 'new');
  return [
    `## superoffload gate: ${markdownText(verdictLine(report))}`,
    '',
    ...(shown.length === 0 ? [] : [table(shown), '']),
    ...(rows.length > maxRows ? [`${rows.length - maxRows} more rows are not shown.`, ''] : []),
    ...reasons.map(
      (row) =>
        `- **${row.status}** ${markdownText(caseTitle(row.case))}: ${markdownText(row.reason)}${hint(row)}`,
    ),
    ...(reasons.length === 0 ? [] : ['']),
    ...report.notes.map((note) => `> ${markdownText(note)}`),
    ...(report.notes.length === 0 ? [] : ['']),
    `<sub>The rule: ${markdownText(gateRule)}.</sub>`,
    '',
  ].join('\n');
}

function hint({ hint: next }: GateRow): string {
  return next === null ? '' : `. Next: ${markdownText(next)}`;
}

function table(rows: readonly GateRow[]): string {
  const head = [
    '',
    'case',
    'metric',
    'reference',
    'now',
    'ratio (95% interval)',
    'allowed',
    'noise',
    'launches',
  ];
  const body = rows.map((row) => [row.status, markdownText(caseTitle(row.case)), ...rowCells(row)]);
  return markdownTable(head, body).trimEnd();
}
