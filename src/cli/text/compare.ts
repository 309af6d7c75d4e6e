import type { Comparison, LoneCase } from '../../core/compare/comparison.ts';
import {
  ambiguousLines,
  ambiguousTitle,
  caseLines,
  differenceLines,
  metricCells,
  metricColumns,
  sideLine,
  tableNotes,
} from '../../core/compare/words.ts';
import { plainText } from '../../core/text/plain.ts';
import { longTable } from './long-table.ts';

const columns = metricColumns.map((title, index) =>
  index >= 1 && index <= 4 ? ({ title, align: 'right' } as const) : { title },
);

/** A comparison for a terminal of 80 columns. */
export function comparisonText(comparison: Comparison): string {
  const { a, b, sharedRuns, cases, differences, onlyA, onlyB, ambiguous } = comparison;
  const parts = [
    [
      sideLine('A', a),
      sideLine('B', b),
      ...(sharedRuns > 0 ? [`${sharedRuns} of the runs are in both`] : []),
    ],
    table(comparison),
    tableNotes(comparison),
    ...groups(cases.length === 1 ? '' : 'all cases: ', differenceLines(differences)),
    loneLines('only in A', onlyA),
    loneLines('only in B', onlyB),
    ...(ambiguous.length === 0
      ? []
      : groups('', [{ title: ambiguousTitle, lines: ambiguousLines(ambiguous) }])),
  ];
  const text = parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
  return plainText(text);
}

/** One table, so that all numbers stand under one another; above those of each case its name, and why. */
function table({ cases }: Comparison): string[] {
  const [head = '', ...rows] = longTable(
    columns,
    cases.flatMap(({ metrics }) => metrics.map(metricCells)),
  ).split('\n');
  let at = 0;
  const lines = cases.flatMap((each) => {
    const { title, titleB, pairedBy, metrics, differences } = each;
    const own = rows.slice(at, (at += metrics.length));
    const pairing = pairedBy === 'same case' ? [] : [`paired by: ${pairedBy}`];
    return [
      '',
      titleB === null ? title : `A ${title}\nB ${titleB}`,
      ...own.map((row) => `  ${row}`),
      ...[...pairing, ...caseLines(each)].map((line) => `  ${line}`),
      ...groups('', differenceLines(differences))
        .flat()
        .map((line) => `  ${line}`),
    ];
  });
  return [`  ${head}`, ...lines];
}

function groups(
  prefix: string,
  found: readonly { readonly title: string; readonly lines: readonly string[] }[],
): string[][] {
  return found.map(({ title, lines }) => [`${prefix}${title}:`, ...lines.map((line) => `  ${line}`)]);
}

const shownLone = 20;

function loneLines(title: string, cases: readonly LoneCase[]): string[] {
  if (cases.length === 0) return [];
  const more = cases.length - shownLone;
  return [
    `${title}:`,
    ...cases.slice(0, shownLone).map((each) => `  ${each.title} (${each.outcome})`),
    ...(more > 0 ? [`  and ${more} more, see --json`] : []),
  ];
}
