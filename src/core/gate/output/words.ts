import { formatNumber } from '../../text/format.ts';
import { caseTitle } from '../gate-case.ts';
import type { GateReport, GateRow } from '../report.ts';

/** The words that every output of a gate shares. */

/** One line: what was held against what, and what came of it. */
export function rowTitle(row: GateRow): string {
  return `${row.metric ?? 'runs'}: ${caseTitle(row.case)}`;
}

/** `84.7 TFLOPS`; `-` where there is none. */
export function valueText(value: number | null, unit: string | null): string {
  return value === null ? '-' : `${formatNumber(value)}${unit === null ? '' : ` ${unit}`}`;
}

/** `0.951 (0.944 to 0.958)`. */
function ratioText({ ratio, low, high, basis }: GateRow): string {
  if (ratio === null) return '-';
  const digits = (value: number): string => value.toFixed(3);
  if (low === null || high === null) return digits(ratio);
  if (basis === 'counted') return digits(ratio);
  return `${digits(ratio)} (${digits(low)} to ${digits(high)})`;
}

/** `4.8% less to 5% more`: how far from its reference a value may be. */
export function boundsText({ reference }: Pick<GateRow, 'reference'>): string {
  if (reference === null) return '-';
  const { lower, upper } = reference;
  if (lower === null && upper === null) return 'any value';
  if (lower === null) return `at most ${sideText(upper)}`;
  if (upper === null) return `at least ${sideText(lower)}`;
  return lower === 0 && upper === 0 ? 'the same' : `${sideText(lower)} to ${sideText(upper)}`;
}

function sideText(share: number | null): string {
  if (share === null || share === 0) return 'the same';
  const size = Math.abs(share) * 100;
  // The bounds of a file are not made exact by many digits.
  const text = size < 1 ? String(Number(size.toPrecision(2))) : String(Number(size.toFixed(1)));
  return `${text}% ${share < 0 ? 'less' : 'more'}`;
}

/** The cells of a row between its case and its answer, alike in every table: metric, reference, now, ratio, bounds, noise, launches. */
export function rowCells(row: GateRow): string[] {
  return [
    row.metric ?? '-',
    valueText(row.reference?.value ?? null, row.unit),
    valueText(row.value, row.unit),
    ratioText(row),
    boundsText(row),
    row.basis ?? '-',
    String(row.launches),
  ];
}

/** What a person reads first. */
export function verdictLine({ verdict, rows, baseline }: GateReport): string {
  const counts = new Map<string, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  const list = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  const isJudged = rows.some(({ status }) => status !== 'new');
  const words = {
    pass: 'PASS',
    regression: 'REGRESSION',
    inconclusive: 'INCONCLUSIVE',
    failed: 'FAILED',
  } as const;
  return `${words[verdict]}: against ${baseline}: ${isJudged ? list : ['nothing to judge', ...(list === '' ? [] : [list])].join(': ')}`;
}

/** The row with its place, its numbers and its reason, for outputs that have one text a row. */
export function rowText(row: GateRow): string {
  const { reference, unit } = row;
  return [
    `${row.status}: ${row.reason}`,
    ...(reference === null
      ? []
      : [
          `reference ${valueText(reference.value, unit)}, allowed ${boundsText(row)}; now ${valueText(row.value, unit)}`,
        ]),
    ...(row.ratio === null ? [] : [`ratio ${ratioText(row)}${row.basis === null ? '' : `, ${row.basis}`}`]),
    ...(row.runs.length === 0 ? [] : [`runs: ${row.runs.join(', ')}`]),
    ...(row.hint === null ? [] : [`next: ${row.hint}`]),
  ].join('\n');
}
