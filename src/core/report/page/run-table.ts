import { formatNumber, formatTokens } from '../../text/format.ts';
import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { pageName } from '../page-name.ts';
import { shownLine } from '../../text/plain.ts';
import type { ReportData, RunRow } from '../report-data.ts';
import { badge, orNothing, scrollBox, utcText } from './parts.ts';

interface Column {
  readonly title: string;
  /** What the filter calls it; without one it is no filter. */
  readonly filter?: string;
  readonly numeric?: true;
  readonly wide?: true;
  readonly cell: (row: RunRow) => HtmlValue;
}

/** Every run, the newest first. Columns in which nothing is known, or one machine only, are left out. */
export function runTable(data: ReportData): Html {
  const { runs } = data;
  const columns = columnsOf(data);
  const head = columns.map(({ title, filter }) =>
    filter === undefined
      ? html`<th scope="col">${title}</th>`
      : html`<th scope="col" data-f="${filter}">${title}</th>`,
  );
  const rows = runs.map(
    (row) =>
      html`<tr>
        ${columns.map((column) => cellOf(column, row))}
      </tr> `,
  );
  return html`<section id="runs">
    <h2>Runs</h2>
    <div id="filters"></div>
    ${scrollBox(
      'Runs',
      html`<table>
        <caption>
          Every run, the newest first; the time (UTC) leads to its page; ~ less than 95% sure
        </caption>
        <thead>
          <tr>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>`,
    )}
  </section>`;
}

function columnsOf({ runs, systems }: ReportData): Column[] {
  return allColumns.filter(({ title, cell }) =>
    title === 'System' ? systems.length > 1 : runs.some((row) => !isEmpty(cell(row))),
  );
}

/** Numbers to the right: one rule a column, where a class in each cell would be a tenth of the page. */
export function runTableStyle(data: ReportData): string {
  const numbers = columnsOf(data).flatMap(({ numeric }, index) =>
    numeric === true ? [`#runs tr>:nth-child(${index + 1})`] : [],
  );
  return numbers.length === 0 ? '' : `${numbers.join(',')}{text-align:right}`;
}

function cellOf({ title, wide, cell }: Column, row: RunRow): Html {
  const value = cell(row);
  if (title === 'Started') return html`<th scope="row">${value}</th>`;
  return wide === true ? html`<td class="ww">${value}</td>` : html`<td>${value}</td>`;
}

function isEmpty(value: HtmlValue): boolean {
  return value === '' || value === null || value === undefined || value === false;
}

const allColumns: readonly Column[] = [
  {
    title: 'Started',
    cell: ({ runId, record }) =>
      html`<a href="${pageName(runId)}">${utcText(record.startedUtc).slice(0, 16)}</a>`,
  },
  { title: 'Outcome', filter: 'outcome', cell: ({ outcome }) => badge(outcome) },
  { title: 'Mode', filter: 'mode', cell: ({ mode }) => mode },
  { title: 'Model', filter: 'model', cell: ({ model }) => shownLine(model, 60) },
  { title: 'Experiment', filter: 'experiment', cell: ({ experiment }) => experiment },
  { title: 'System', filter: 'system', cell: ({ system }) => system },
  { title: 'Chips', numeric: true, cell: ({ chips }) => chips },
  { title: 'Batch', cell: ({ batch }) => batch },
  { title: 'Sequence', numeric: true, cell: ({ sequenceLength }) => tokens(sequenceLength) },
  { title: 's/step', numeric: true, cell: ({ stepMs }) => seconds(stepMs) },
  { title: 'Interval', cell: intervalText },
  { title: 'TFLOPS', numeric: true, cell: ({ tflopsPerGpu }) => orNothing(tflopsPerGpu) },
  { title: 'MFU', numeric: true, cell: ({ mfu }) => (mfu === null ? '' : `${(100 * mfu).toFixed(1)}%`) },
  { title: 'GPU GiB', numeric: true, cell: ({ gpuGiB }) => orNothing(gpuGiB) },
  { title: 'Host GiB', numeric: true, cell: ({ hostGiB }) => orNothing(hostGiB) },
  { title: 'Loss', numeric: true, cell: ({ lastLoss }) => orNothing(lastLoss) },
  { title: 'Evidence and warnings', wide: true, cell: proofCell },
];

function tokens(count: number | null): string {
  return count === null ? '' : formatTokens(count);
}

function seconds(ms: number | null): string {
  return ms === null ? '' : formatNumber(ms / 1000);
}

function intervalText({ lowMs, highMs, confidence }: RunRow): string {
  if (lowMs === null || highMs === null) return '';
  return `${seconds(lowMs)} to ${seconds(highMs)}${confidence !== null && confidence < 0.95 ? '~' : ''}`;
}

function proofCell({ outcome, proof, record: { warnings } }: RunRow): HtmlValue {
  const lines = [
    ...(outcome === 'ok' ? [] : [shownLine(proof, 200)]),
    ...warnings.map((each) => shownLine(each, 160)),
  ];
  return lines.length === 0 ? null : lines.map((line) => html`<div>${line}</div>`);
}
