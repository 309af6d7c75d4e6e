import type { Html } from '../../text/html.ts';
import { figureTitle } from '../figure-data.ts';
import { figurePage, pageTable } from '../render/text/figure-page.ts';
import { figureFacts } from '../render/text/text.ts';
import type { AblationData } from './ablation-data.ts';
import { ablationCells, ablationHeads, ablationTables } from './ablation-text.ts';

/**
 * One page with the picture and its tables.
 * @param svg by adapters/figure.ts drawSvg, of this ablation
 */
export function ablationHtml(data: AblationData, svg: string): string {
  const { picture } = data;
  return figurePage({
    title: figureTitle(picture),
    systemTitle: picture.system.title,
    facts: figureFacts(picture),
    svg,
    tables: tablesOf(data),
    notes: picture.footnotes,
    tool: picture.tool,
  });
}

function tablesOf(data: AblationData): Html[] {
  return ablationTables(data).map(({ title, rows }) =>
    pageTable(title, ablationHeads, rows.map(ablationCells)),
  );
}
