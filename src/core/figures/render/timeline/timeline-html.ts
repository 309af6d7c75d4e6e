import type { TimelineData } from '../../timeline/timeline-data.ts';
import { figurePage, pageTable } from '../figure-page.ts';
import { summaryLines, timelineFacts } from './timeline-text.ts';

/**
 * One page with the picture and its numbers.
 * @param svg by adapters/figure.ts drawSvg, of this picture
 */
export function timelineHtml(data: TimelineData, svg: string): string {
  const rows = summaryLines(data).map(({ title, cells }) => [title, ...cells]);
  return figurePage({
    ...{ title: data.title, systemTitle: data.system.title, facts: timelineFacts(data), svg },
    tables: [
      pageTable('Where the time of the step goes', ['', ...data.rows.map(({ title }) => title)], rows),
    ],
    ...{ notes: data.footnotes, tool: data.tool },
  });
}
