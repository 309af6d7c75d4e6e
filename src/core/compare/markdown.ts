import { markdownTable, markdownText } from '../text/markdown.ts';
import type { Comparison, LoneCase } from './comparison.ts';
import {
  ambiguousLines,
  ambiguousTitle,
  caseLines,
  differenceLines,
  metricCells,
  metricColumns,
  sideLine,
  tableNotes,
} from './words.ts';

/** A comparison for a job summary or a pull request: nothing that a run says becomes markup. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { a, b, sharedRuns, cases, differences, onlyA, onlyB, ambiguous } = comparison;
  const parts = [
    list([
      sideLine('A', a),
      sideLine('B', b),
      ...(sharedRuns > 0 ? [`${sharedRuns} of the runs are in both`] : []),
    ]),
    table(comparison),
    list(tableNotes(comparison)),
    ...groups(cases.length === 1 ? '' : 'All cases: ', differenceLines(differences)),
    ...cases.flatMap((each) => ofCase(each)),
    lone('Only in A', onlyA),
    lone('Only in B', onlyB),
    ambiguous.length === 0 ? '' : section(ambiguousTitle, ambiguousLines(ambiguous)),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function table({ cases }: Comparison): string {
  const rows = cases.flatMap(({ title, titleB, metrics }) =>
    metrics.map((metric) =>
      [titleB === null ? title : `${title} / ${titleB}`, ...metricCells(metric)].map((cell) =>
        markdownText(cell),
      ),
    ),
  );
  return markdownTable(['case', ...metricColumns], rows);
}

function ofCase(each: Comparison['cases'][number]): string[] {
  const { title, pairedBy, differences } = each;
  const lines = [...(pairedBy === 'same case' ? [] : [`paired by: ${pairedBy}`]), ...caseLines(each)];
  return [
    ...(lines.length === 0 ? [] : [section(title, lines)]),
    ...groups(`${title}: `, differenceLines(differences)),
  ];
}

function groups(
  prefix: string,
  found: readonly { readonly title: string; readonly lines: readonly string[] }[],
): string[] {
  return found.map(({ title, lines }) => section(`${prefix}${title}`, lines));
}

function section(title: string, lines: readonly string[]): string {
  return `**${markdownText(title)}**\n\n${list(lines)}`;
}

function lone(title: string, cases: readonly LoneCase[]): string {
  return cases.length === 0
    ? ''
    : section(
        title,
        cases.map((each) => `${each.title} (${each.outcome})`),
      );
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${markdownText(line)}\n`).join('');
}
