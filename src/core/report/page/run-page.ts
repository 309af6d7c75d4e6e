import type { StackReference } from '../../plan/run-plan.ts';
import type { RunRecord } from '../../results/record.ts';
import { describeUpstream } from '../../stack/reference.ts';
import { upstreamNames, type UpstreamName } from '../../upstreams/upstream.ts';
import { finite } from '../../text/finite.ts';
import { formatDuration, formatNumber } from '../../text/format.ts';
import { html, pathAddress, type Html, type HtmlValue } from '../../text/html.ts';
import { pageName } from '../page-name.ts';
import { placementText } from '../placement-text.ts';
import { shownLine } from '../../text/plain.ts';
import type { RunDetails, RunRow } from '../report-data.ts';
import { stepChart } from './chart.ts';
import { linkedPage } from './layout.ts';
import { badge, card, factList, orNothing, utcText } from './parts.ts';
import { caseFacts, conditionFacts, memoryFacts } from './run-facts.ts';

/** The page of one run: outcome and its proof first, then the numbers, then all that is needed to repeat it. */
export function runPage(row: RunRow, details: RunDetails, tool: string): Html {
  const { record } = row;
  const main = html`<header>
      <nav class="small"><a href="../index.html">All runs</a></nav>
      <h1>${shownLine(record.title)}</h1>
      <p>
        ${badge(row.outcome)} ${record.functional && html`<span class="b">functional: CPU ranks</span> `}<span
          class="id"
          >${row.runId}</span
        >
      </p>
    </header>
    <main id="main">
      ${ending(row)}${numbers(row)}${charts(row, details)}
      <div class="two">
        <section>
          <h2>What ran</h2>
          ${factList(caseFacts(record, details.brief))}
        </section>
        <section>
          <h2>Where</h2>
          ${factList(whereFacts(row))}
        </section>
      </div>
      ${configuration(details)}${fileLinks(row, details)}
    </main>`;
  return linkedPage({ title: shownLine(record.title), body: main, footer: footerText(record, tool) }, '../');
}

function ending({ record: { outcome, warnings, recovered }, outcome: ended }: RunRow): HtmlValue {
  const failed = ended !== 'ok';
  const rank = outcome.rank === null ? '' : ` (rank ${outcome.rank})`;
  return [
    html`<p>${shownLine(outcome.reason)}${rank}${recovered && '; this record was rebuilt from the log'}</p>`,
    outcome.evidence !== null && html`<pre class="wrap">${shownLine(outcome.evidence, 2000)}</pre>`,
    failed && outcome.hint !== null && html`<p class="note">Next: ${shownLine(outcome.hint)}</p>`,
    warnings.length > 0 &&
      html`<div class="note">
        <h2 class="small">Warnings</h2>
        <ul>
          ${warnings.map((warning) => html`<li>${shownLine(warning)}</li>`)}
        </ul>
      </div>`,
  ];
}

function numbers(row: RunRow): Html | null {
  const { record, stepMs, lowMs, highMs, tflopsPerGpu, mfu, tokensPerSecond, gpuGiB, hostGiB } = row;
  const { samples, warmUpSteps } = record.statistics ?? {};
  const seconds = (ms: number): string => formatNumber(ms / 1000);
  const formula = shownLine(record.throughput.formula ?? 'as its log says', 60);
  const cards = [
    stepMs !== null &&
      card('Step, median', `${seconds(stepMs)} s`, [
        lowMs !== null &&
          highMs !== null &&
          `${seconds(lowMs)} to ${seconds(highMs)} s (${percent(row.confidence)})`,
        samples !== undefined && `, ${samples} steps after ${warmUpSteps ?? 0} of warm-up`,
      ]),
    tflopsPerGpu !== null && card('TFLOPS a chip', formatNumber(tflopsPerGpu), formula),
    mfu !== null && card('MFU', percent(mfu), `of ${orNothing(finite(record.system.peakTflops))} TFLOPS`),
    tokensPerSecond !== null && card('Tokens/s', formatNumber(tokensPerSecond)),
    gpuGiB !== null &&
      card('GPU memory, peak', `${formatNumber(gpuGiB)} GiB`, memoryShare(gpuGiB, record.system.gpuGiB)),
    hostGiB !== null &&
      card(
        'Host memory, peak',
        `${formatNumber(hostGiB)} GiB`,
        memoryShare(hostGiB, record.exit.hostLimitGiB),
      ),
    row.lastLoss !== null &&
      card('Loss, last', formatNumber(row.lastLoss), `first ${orNothing(finite(record.firstLoss))}`),
    record.durationMs !== null && card('Lasted', formatDuration(record.durationMs)),
  ].filter((each) => each !== false);
  return cards.length === 0
    ? null
    : html`<h2>Numbers</h2>
        <dl class="cards">${cards}</dl>`;
}

function percent(share: number | null): string {
  return share === null ? '?' : `${Number((100 * share).toPrecision(3))}%`;
}

function memoryShare(usedGiB: number, limit: unknown): HtmlValue {
  const limitGiB = finite(limit);
  if (limitGiB === null || limitGiB <= 0) return null;
  const text = `of ${formatNumber(limitGiB)} GiB`;
  const [most, used] = [limitGiB, usedGiB].map(formatNumber);
  return html`<meter max="${most}" value="${used}" aria-label="${text}"></meter> ${text}`;
}

function charts({ record, stepMs, confidence }: RunRow, { losses, lossNote }: RunDetails): HtmlValue {
  const { statistics } = record;
  const interval = statistics?.interval ?? null;
  const warmUp = statistics?.warmUpSteps ?? 0;
  const sec = (ms: number): number => ms / 1000;
  const steps =
    record.stepMs.length > 0 &&
    stepChart({
      ...{ title: 'Step time', unit: 's', warmUp, values: record.stepMs.map(sec) },
      median: stepMs === null ? null : sec(stepMs),
      interval: interval && {
        low: sec(interval.lowMs),
        high: sec(interval.highMs),
        label: `${percent(confidence)} interval, ${interval.basis}`,
      },
    });
  const loss =
    losses.length > 0
      ? stepChart({ title: 'Loss', unit: 'nats', values: losses, warmUp: 0, median: null, interval: null })
      : lossNote !== null && html`<p class="muted">Loss curve: ${lossNote}</p>`;
  return (
    (steps !== false || loss !== false) &&
    html`<h2>Over the steps</h2>
      <div class="two">${steps}${loss}</div>`
  );
}

function whereFacts(row: RunRow): (readonly [string, HtmlValue])[] {
  const { record } = row;
  const { stack, system } = record;
  return [
    ['system', `${row.system}${row.system.includes(system.title) ? '' : `: ${system.title}`}`],
    ['started', `${utcText(record.startedUtc)} UTC`],
    ['placement', record.placement === undefined ? null : placementText(record.placement)],
    ...(stack === null
      ? []
      : ([
          ['stack', `${stack.name}, lock ${shownLine(stack.hash).slice(0, 12)}`],
          ['torch', stack.torch],
          ['DeepSpeed', softwareText(stack, 'deepspeed') ?? stack.deepspeed],
          ...upstreamNames
            .filter((name) => name !== 'deepspeed')
            .map((name) => [name, softwareText(stack, name)] as const),
          ['Apex', stack.apex ?? null],
          [
            'drift',
            (stack.drift ?? []).length > 0 &&
              html`<ul class="list">
                ${stack.drift?.slice(0, 20).map((line) => html`<li>${shownLine(line)}</li>`)}
              </ul>`,
          ],
        ] as const)),
    ...memoryFacts(record),
    ...conditionFacts(record),
  ];
}

/** Which superoffload ran it, and which wrote this. */
function footerText({ tool: ran }: RunRecord, tool: string): string {
  const by = ran === null ? '' : `superoffload ${shownLine(ran.version, 60)}`;
  return by === '' || by === tool ? tool : `run by ${by}, reported by ${tool}`;
}

function softwareText({ upstreams }: StackReference, name: UpstreamName): string | null {
  const upstream = upstreams?.[name];
  return upstream === undefined ? null : describeUpstream(upstream).replace(/^version /, '');
}

function configuration({ configuration: found, files }: RunDetails): HtmlValue {
  if (found.kind === 'shown') {
    const { command, deepspeed } = found;
    return [
      deepspeed !== null &&
        html`<h2>DeepSpeed's configuration</h2>
          <pre tabindex="0">${deepspeed}</pre>`,
      command !== null &&
        html`<h2>Command</h2>
          <pre class="wrap">${command}</pre>`,
    ];
  }
  const text = {
    same: 'the same, but for its port, as of',
    linked: `a report of so many runs links it: ${files.length > 0 ? 'see the files' : 'see the run'}`,
    none: 'not known: only the record of this run was given',
  }[found.kind];
  const other = found.kind === 'same' && html`<a href="${`../${pageName(found.runId)}`}">another run</a>`;
  return html`<h2>Configuration and command</h2>
    <p class="muted">${text} ${other}</p>`;
}

function fileLinks({ folder }: RunRow, { files }: RunDetails): Html | null {
  if (folder === null || files.length === 0) return null;
  const address = `../${folder}`;
  return html`<h2>Files</h2>
    <p>
      <a href="${address}/">folder</a>:
      ${files.map((name) => html`<a href="${`${address}/${pathAddress(name)}`}">${name}</a> `)}
    </p>`;
}
