import type { FigureData, Mark } from '../../figures/figure-data.ts';
import { formatNumber } from '../../text/format.ts';
import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { pageName } from '../page-name.ts';
import { shownLine } from '../../text/plain.ts';
import { svgMarkup } from '../svg.ts';
import { scrollBox } from './parts.ts';

/** A figure of one system with its picture. */
export interface DrawnFigure {
  readonly data: FigureData;
  /** null where it could not be drawn; its numbers are there all the same. */
  readonly svg: string | null;
}

/** The paper's figures with this machine on them: the picture, and its numbers as a table. */
export function figureSection(figures: readonly DrawnFigure[], linkedRuns: ReadonlySet<string>): HtmlValue {
  if (figures.length === 0) return null;
  return html`<h2>The paper's figures</h2>
    <p class="muted">
      Measured here, predicted, and published, each marked as what it
      is.${figures.map((figure, index) => drawn(figure, `f${index}-`, linkedRuns))}
    </p>`;
}

/** The picture says its notes itself; below it they are text, which a phone can break and a screen reader reads. */
function drawn({ data, svg }: DrawnFigure, prefix: string, linkedRuns: ReadonlySet<string>): Html {
  const { title, system, functional, differences, footnotes, figure } = data;
  const name = `Figure ${figure}: ${shownLine(title)}`;
  const notes = [...differences.map((each) => `Not as in the paper: ${each}`), ...footnotes];
  return html`<figure data-system="${system.name}">
    <h3>
      ${name}, ${shownLine(system.title)} ${functional && html`<span class="b">functional: CPU ranks</span>`}
    </h3>
    ${
      svg !== null &&
      html`<div
        class="pic"
        data-series="${seriesKeys(data)}"
        role="region"
        aria-label="${`${name}, ${system.name}`}"
        tabindex="0"
      >
        ${svgMarkup(svg, prefix)}
      </div>`
    }
    <details>
      <summary>Numbers and notes of figure ${figure}</summary>
      <ul class="list small">
        ${notes.map((note) => html`<li>${shownLine(note)}</li>`)}
      </ul>
      ${markTable(data, linkedRuns)}
    </details>
  </figure>`;
}

/** For the script: the filter knows modes, and the picture says their titles. */
function seriesKeys({ series }: FigureData): string {
  return JSON.stringify(Object.fromEntries(series.map(({ key, title }) => [title, key])));
}

function markTable(data: FigureData, linkedRuns: ReadonlySet<string>): Html {
  const head = ['Panel', 'Mode', 'Place', 'Source', data.unit, 'Interval', 'Notes', 'Runs'];
  const titles = new Map(data.series.map(({ key, title }) => [key, title]));
  const panels = new Map(data.panels.map(({ key, title }) => [key, title]));
  const rows = data.marks.map((mark) => {
    const { panel, series, x, source, runIds, notes } = mark;
    return html`<tr data-mode="${series}">
      <th scope="row">${shownLine(panels.get(panel) ?? panel)}</th>
      <td>${shownLine(titles.get(series) ?? series)}</td>
      <td>${shownLine(x)}</td>
      <td>${source}</td>
      <td class="n">${valueText(mark)}</td>
      <td class="nb">${intervalText(mark)}</td>
      <td class="w">${shownLine(notes.join('; '))}</td>
      <td class="nb">
        ${runIds.map((id, index) => (linkedRuns.has(id) ? html`<a href="${pageName(id)}">${index + 1}</a> ` : ''))}
      </td>
    </tr> `;
  });
  return scrollBox(
    `Numbers of figure ${data.figure}, ${data.system.name}`,
    html`<table>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${shownLine(name)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  );
}

function valueText({ state, value, wall }: Mark): string {
  if (state === 'value' && value !== null) return formatNumber(value);
  return state === 'oom' ? `out of memory${wall === null ? '' : ` (${wall})`}` : state.replace('-', ' ');
}

function intervalText({ low, high, basis }: Mark): string {
  if (low === null || high === null) return '';
  return `${formatNumber(low)} to ${formatNumber(high)}${basis === null ? '' : `, ${basis}`}`;
}
