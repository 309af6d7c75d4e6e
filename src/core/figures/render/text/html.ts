import { html, type Html } from '../../../text/html.ts';
import { figureTitle, type FigureData } from '../../figure-data.ts';
import { figurePage, pageTable } from './figure-page.ts';
import { figureFacts, figureTables, tableHeads, type FigureTable } from './text.ts';

/**
 * One page with one figure: the picture, and below it the same numbers as tables. It asks for nothing from anywhere.
 * @param svg by adapters/figure.ts drawSvg, of this figure
 */
export function figureHtml(data: FigureData, svg: string): string {
  return figurePage({
    ...{ title: figureTitle(data), systemTitle: data.system.title, facts: figureFacts(data), svg },
    tables: figureTables(data).map(tableMarkup),
    ...{ notes: data.footnotes, tool: data.tool },
  });
}

function tableMarkup({ title, xTitle, rows }: FigureTable): Html {
  if (rows.length === 0) return html`<p>${title}: nothing was measured, predicted or published here.</p>`;
  const heads = [xTitle === '' ? 'place' : xTitle, ...tableHeads];
  return pageTable(
    title,
    heads,
    rows.map(({ x, series, cells, notes }) => [x, series, ...cells, notes]),
  );
}
