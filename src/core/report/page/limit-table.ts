import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { pageName } from '../page-name.ts';
import type { LimitRow } from '../report-data.ts';
import { badge, scrollBox } from './parts.ts';

/** What memory held: the largest that ran beside the smallest that did not. */
export function limitTable(limits: readonly LimitRow[]): HtmlValue {
  if (limits.length === 0) return null;
  const head = ['Searched', 'At', 'Mode', 'Chips', 'Largest that ran', 'Smallest that did not', 'System'];
  return html`<h2>What memory holds</h2>
    ${scrollBox(
      'Limits of memory',
      html`<table>
        <caption>
          Without a smallest that did not run, the largest is only a lower bound
        </caption>
        <thead>
          <tr>
            ${head.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${limits.map(limitLine)}
        </tbody>
      </table>`,
    )}`;
}

function limitLine(row: LimitRow): Html {
  const what = row.experiment === 'model_size' ? 'model size' : 'sequence length';
  return html`<tr data-system="${row.system}" data-mode="${row.mode}">
    <th scope="row">${what}</th>
    <td class="nb">${row.at}</td>
    <td>${row.mode}</td>
    <td>${row.chips}</td>
    <td class="nb">${linked(row.largest, row.largestRunId)}</td>
    <td class="nb">
      ${linked(row.smallestFailed, row.failedRunId)} ${row.failure !== null && badge(row.failure)}
    </td>
    <td class="nb">${row.system}</td>
  </tr> `;
}

function linked(text: string | null, runId: string | null): HtmlValue {
  if (text === null || runId === null) return 'not known';
  return html`<a href="${pageName(runId)}">${text}</a>`;
}
