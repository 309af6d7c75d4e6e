import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { pageName } from '../page-name.ts';
import { shownLine } from '../../text/plain.ts';
import type { RatioRow } from '../report-data.ts';
import { scrollBox } from './parts.ts';

/** More than these are told by the Markdown and by `superoffload compare`. */
const maxRatios = 40;

/** Speed of each mode against the baseline of the same case, with the interval drawn and what makes it unfair said. */
export function ratioTable(ratios: readonly RatioRow[]): HtmlValue {
  if (ratios.length === 0) return null;
  const shown = ratios.slice(0, maxRatios);
  const scale = scaleOf(shown);
  const rest = ratios.length - shown.length;
  const head = ['Mode', 'Against', 'Ratio', 'Interval', '', 'What', 'How sure', 'Not fair because', 'System'];
  return html`<h2>Speed of the modes</h2>
    ${scrollBox(
      'Ratios',
      html`<table>
        <caption>
          Above 1 is faster than the baseline; the line is 1${rest > 0 && `; ${rest} more are in report.md`}
        </caption>
        <thead>
          <tr>
            ${head.map((name) => (name === '' ? html`<td></td>` : html`<th scope="col">${name}</th>`))}
          </tr>
        </thead>
        <tbody>
          ${shown.map((row) => ratioLine(row, scale))}
        </tbody>
      </table>`,
    )}`;
}

function ratioLine(row: RatioRow, xOf: (ratio: number) => number): Html {
  const { ratio, low, high, unfair } = row;
  const [from, to] = [xOf(low), xOf(high)];
  const text = `${ratio.toFixed(2)}, ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return html`<tr data-system="${row.system}" data-mode="${row.mode}">
    <th scope="row"><a href="${pageName(row.runId)}">${row.mode}</a></th>
    <td class="nb">${row.baseline}</td>
    <td class="n"><b>${ratio.toFixed(2)}</b></td>
    <td class="nb">${low.toFixed(2)} to ${high.toFixed(2)}</td>
    <td>
      <svg class="forest" viewBox="0 0 144 22" role="img" aria-label="${text}">
        <path class="one" d="M${xOf(1)} 0v22" />
        <path class="iv" d="M${from} 11h${Math.max(1, to - from)}" />
        <circle class="pt" cx="${xOf(ratio)}" cy="11" r="4.5" />
      </svg>
    </td>
    <td class="w">${shownLine(row.what)}${row.functional && html` <span class="b">functional</span>`}</td>
    <td class="w">${row.basis}</td>
    <td class="w">
      ${unfair.length === 0 ? 'nothing that is known' : unfair.map((reason) => html`<div>${shownLine(reason)}</div>`)}
    </td>
    <td class="nb">${row.system}</td>
  </tr> `;
}

/** Logarithmic, so that half as fast and twice as fast lie equally far from 1. */
function scaleOf(rows: readonly RatioRow[]): (ratio: number) => number {
  const ends = rows.flatMap(({ low, high, ratio }) => [low, high, ratio]).filter((each) => each > 0);
  const [least, most] = [Math.min(0.9, ...ends), Math.max(1.1, ...ends)];
  const span = Math.log(most / least);
  return (ratio) => {
    const place = 6 + (132 * Math.log(Math.max(ratio, least) / least)) / span;
    return Math.round(10 * Math.min(138, place)) / 10;
  };
}
