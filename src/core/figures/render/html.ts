import { html, trusted, type Html } from '../../text/html.ts';
import { figureTitle, type FigureData } from '../figure-data.ts';
import { figureFacts, figureTables, tableHeads, type FigureTable } from './text.ts';

/** Dark ink on white (15:1) and grey rules: readable in print and by WCAG AA; wide tables and pictures scroll. */
const style = `
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1000px; padding: 1rem; background: #fff; color: #222; font: 16px/1.5 Inter, system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2rem; }
figure { margin: 1rem 0; overflow-x: auto; } figure svg { display: block; height: auto; max-width: 100%; min-width: 860px; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; } th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #555; } .functional { color: #a4262c; font-weight: 600; } footer, .notes { color: #444; font-size: .9rem; overflow-wrap: anywhere; }
`;

/**
 * One page with one figure: the picture, and below it the same numbers as tables. It asks for nothing from anywhere.
 * @param svg by adapters/figure.ts drawSvg, of this figure
 */
export function figureHtml(data: FigureData, svg: string): string {
  const title = figureTitle(data);
  const facts = figureFacts(data).map((fact) => html`<p>${fact}</p>`);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
        />
        <title>${title} – ${data.system.title}</title>
        ${trusted(`<style>${style}</style>`)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${facts}
          <figure tabindex="0" aria-label="${title}">${trusted(svg)}</figure>
          ${figureTables(data).map(tableMarkup)}
          <h2>Notes</h2>
          <ul class="notes">
            ${data.footnotes.map((note) => html`<li>${note}</li>`)}
          </ul>
        </main>
        <footer><p>Drawn by superoffload ${data.tool}.</p></footer>
      </body>
    </html> `;
  return page.toString();
}

function tableMarkup({ title, xTitle, rows }: FigureTable): Html {
  if (rows.length === 0) return html`<p>${title}: nothing was measured, predicted or published here.</p>`;
  const heads = [xTitle === '' ? 'place' : xTitle, ...tableHeads].map(
    (head) => html`<th scope="col">${head}</th>`,
  );
  const lines = rows.map(({ x, series, cells, notes }) => {
    const data = [series, ...cells, notes].map((cell) => html`<td>${cell}</td>`);
    return html`<tr>
      <th scope="row">${x}</th>
      ${data}
    </tr> `;
  });
  return html`<div class="table" tabindex="0" role="region" aria-label="${title}">
    <table>
      <caption>
        ${title}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div> `;
}
