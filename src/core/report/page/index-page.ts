import { html, type Html, type HtmlValue } from '../../text/html.ts';
import { shownLine } from '../../text/plain.ts';
import type { RatioRow, ReportData, SystemSummary } from '../report-data.ts';
import { pictureFont } from '../svg.ts';
import { figureSection, type DrawnFigure } from './figures.ts';
import { wholePage } from './layout.ts';
import { limitTable } from './limit-table.ts';
import { badge, card, scrollBox, utcText } from './parts.ts';
import { ratioTable } from './ratio-table.ts';
import { runTable, runTableStyle } from './run-table.ts';

/** The report's one page that stands alone: what ran where, what came out, the figures, every run. */
export function indexPage(
  data: ReportData,
  figures: readonly DrawnFigure[],
  sha256Of: (text: string) => string,
): Html {
  const title = titleOf(data);
  const body = html`<a class="skip" href="#runs">Skip to the runs</a>
    <header>
      <h1>${title}</h1>
      <p class="muted">
        Written ${utcText(data.createdUtc)} UTC by ${data.tool} from ${shownLine(data.sources.join(', '))}.
        The same as <a href="report.md">Markdown</a> and <a href="runs.csv">CSV</a>.
      </p>
    </header>
    <main id="main">
      ${summaryCards(data)}${notes(data)} ${systemTable(data.systems)} ${ratioTable(data.ratios)}
      ${limitTable(data.limits)} ${figureSection(figures, new Set(data.runs.map(({ runId }) => runId)))}
      ${runTable(data)}
    </main>`;
  const font = figures
    .map(({ svg }) => (svg === null ? null : pictureFont(svg)))
    .find((each) => each !== null);
  return wholePage({ title, body, footer: footer(data) }, runTableStyle(data), font ?? null, sha256Of);
}

function titleOf({ systems, runs }: ReportData): string {
  const count = `${runs.length} run${runs.length === 1 ? '' : 's'}`;
  const [only] = systems;
  const where =
    systems.length === 1 && only !== undefined ? only.hardware.split(', ')[0] : `${systems.length} systems`;
  return `SuperOffload report: ${count} on ${where ?? ''}`;
}

function summaryCards({ runs, outcomes, ratios, systems }: ReportData): Html {
  const times = runs.map(({ record }) => record.startedUtc).sort();
  const warned = runs.filter(({ record }) => record.warnings.length > 0).length;
  const [first = '', last = ''] = [times[0], times.at(-1)].map((utc) => utc?.slice(0, 10));
  return html`<h2>Summary</h2>
    <dl class="cards">
      ${[
        card('Runs', runs.length, first === last ? `on ${first}` : `${first} to ${last}`),
        card(
          'Outcomes',
          html`<small>${outcomes.map(([name, count]) => html`${badge(name, count)} `)}</small>`,
        ),
        card(
          'Systems',
          systems.length,
          shownLine(
            systems.map(({ name, functional }) => (functional ? `${name} (functional)` : name)).join(', '),
            120,
          ),
        ),
        fairCard(ratios),
        warned > 0 && card('Runs with warnings', warned, 'see the last column of the runs'),
      ]}
    </dl>`;
}

/** The largest ratio that is fair. One below 1 is no speed-up: then the baseline is what is fastest, and that is said. */
function fairCard(ratios: readonly RatioRow[]): HtmlValue {
  const [best] = ratios.filter(({ unfair, functional }) => unfair.length === 0 && !functional);
  if (best === undefined) return null;
  const { mode, baseline, ratio, low, high, what, basis } = best;
  const times = `${ratio.toFixed(2)}\u00d7`;
  const rest = `${low.toFixed(2)} to ${high.toFixed(2)} (${basis}); ${what}`;
  if (low > 1) return card('Largest fair speed-up', times, `${mode} against ${baseline}, ${rest}`);
  const closest = `of the modes in a fair comparison; closest: ${mode}, ${times}, ${rest}`;
  if (high < 1) return card(`Faster than ${baseline}`, 'none', closest);
  return card(`Faster than ${baseline}`, 'none for certain', closest);
}

/** What was not used, and why: never silent. */
function notes({ notes: said }: ReportData): HtmlValue {
  if (said.length === 0) return null;
  const shown = said.slice(0, maxNotes).map((note) => html`<li>${shownLine(note)}</li>`);
  const rest = said.length - maxNotes;
  return html`<div class="note">
    <ul>
      ${shown}${rest > 0 && html`<li>and ${rest} more</li>`}
    </ul>
  </div>`;
}

const maxNotes = 20;

function systemTable(systems: readonly SystemSummary[]): Html {
  const rows = systems.map(
    (system) =>
      html`<tr data-system="${system.name}">
        <th scope="row">${system.name}</th>
        <td class="w">${system.hardware}${system.functional && html` <span class="b">functional</span>`}</td>
        <td class="w">${system.software.map(shownOne)}</td>
        <td class="n">${system.runs}</td>
        <td class="nb">${utcText(system.firstUtc).slice(0, 16)}</td>
        <td class="nb">${utcText(system.lastUtc).slice(0, 16)}</td>
        <td>${system.outcomes.map(([name, count]) => html`${badge(name, count)} `)}</td>
      </tr> `,
  );
  return html`<h2>Systems</h2>
    ${scrollBox(
      'Systems',
      html`<table>
        <caption>
          What ran where, and when (UTC)
        </caption>
        <thead>
          <tr>
            <th scope="col">System</th>
            <th scope="col">Hardware</th>
            <th scope="col">Software</th>
            <th scope="col" class="n">Runs</th>
            <th scope="col">First</th>
            <th scope="col">Last</th>
            <th scope="col">Outcomes</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>`,
    )}`;
}

function shownOne(text: string): Html {
  return html`<div>${shownLine(text)}</div>`;
}

function footer({ tool }: ReportData): HtmlValue {
  return html`<p>
    ${tool}. Intervals are 95% unless they say otherwise. TFLOPS: per chip, recomputation excluded. A run on
    CPU ranks is functional: it shows that it works, not how fast a GPU is.
  </p>`;
}
