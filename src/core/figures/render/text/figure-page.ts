import { html, trusted, type Html } from '../../../text/html.ts';

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

/** What a page with one picture holds. */
export interface FigurePage {
  readonly title: string;
  readonly systemTitle: string;
  /** A paragraph each, above the picture. */
  readonly facts: readonly string[];
  /** By adapters/figure.ts drawSvg. */
  readonly svg: string;
  /** The same numbers, below it. */
  readonly tables: readonly Html[];
  readonly notes: readonly string[];
  /** The version of this tool. */
  readonly tool: string;
}

/** A page that asks for nothing from anywhere. */
export function figurePage({ title, systemTitle, facts, svg, tables, notes, tool }: FigurePage): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
        />
        <title>${title} – ${systemTitle}</title>
        ${trusted(`<style>${style}</style>`)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${facts.map((fact) => html`<p>${fact}</p>`)}
          <figure tabindex="0" aria-label="${title}">${trusted(svg)}</figure>
          ${tables}
          <h2>Notes</h2>
          <ul class="notes">
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>
        </main>
        <footer><p>Drawn by superoffload ${tool}.</p></footer>
      </body>
    </html> `;
  return page.toString();
}

/** A table whose first column is the head of each row. */
export function pageTable(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): Html {
  const headCells = heads.map((head) => html`<th scope="col">${head}</th>`);
  const lines = rows.map(([first = '', ...cells]) => {
    return html`<tr>
      <th scope="row">${first}</th>
      ${cells.map((cell) => html`<td>${cell}</td>`)}
    </tr> `;
  });
  return html`<div class="table" tabindex="0" role="region" aria-label="${title}">
    <table>
      <caption>
        ${title}
      </caption>
      <thead>
        <tr>
          ${headCells}
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
  </div> `;
}
