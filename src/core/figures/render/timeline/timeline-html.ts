import type { TimelineData } from '../../timeline/timeline-data.ts';
import { figurePage, pageTable } from '../text/figure-page.ts';
import { partLines, partsTitle, summaryLines, timelineFacts, type SummaryLine } from './timeline-text.ts';

/**
 * One page with the picture and its numbers.
 * @param svg by adapters/figure.ts drawSvg, of this picture
 */
export function timelineHtml(data: TimelineData, svg: string): string {
  const heads = ['', ...data.rows.map(({ title }) => title)];
  const table = (title: string, lines: readonly SummaryLine[]): ReturnType<typeof pageTable> =>
    pageTable(
      title,
      heads,
      lines.map((line) => [line.title, ...line.cells]),
    );
  return figurePage({
    ...{ title: data.title, systemTitle: data.system.title, facts: timelineFacts(data), svg },
    tables: [
      table('Where the time of the step goes', summaryLines(data)),
      table(partsTitle, partLines(data)),
    ],
    ...{ notes: data.footnotes, tool: data.tool },
  });
}
