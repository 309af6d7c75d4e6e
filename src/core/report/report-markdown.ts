import { formatNumber, formatTokens } from '../text/format.ts';
import { pageName } from './page-name.ts';
import { markdownTable, markdownText as text } from '../text/markdown.ts';
import type { ReportData, RunRow } from './report-data.ts';

/** A job's summary holds 1 MiB (GitHub), and a person reads less. */
const maxRuns = 200;

/** The report as a job's summary or a merge request shows it. */
export function reportMarkdown(data: ReportData): string {
  const { runs, outcomes, tool, createdUtc, sources, notes } = data;
  const counts = outcomes.map(([name, count]) => `${count} ${text(name)}`).join(', ');
  return [
    `# SuperOffload report`,
    `${runs.length} runs: ${counts}. Written ${createdUtc.slice(0, 16).replace('T', ' ')} UTC by ${text(tool)} from ${text(sources.join(', '))}.`,
    notes.map((note) => `- ${text(note)}`).join('\n'),
    section('Systems', systems(data)),
    section('Speed of the modes', ratios(data)),
    section('What memory holds', limits(data)),
    section(
      runs.length > maxRuns ? `The newest ${maxRuns} runs; runs.csv has all` : 'Runs',
      runTable(runs.slice(0, maxRuns)),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function section(title: string, table: string): string {
  return table === '' ? '' : `## ${title}\n\n${table}`;
}

function systems({ systems: rows }: ReportData): string {
  return markdownTable(
    ['system', 'hardware', 'software', 'runs', 'first', 'last', 'outcomes'],
    rows.map((row) => [
      text(row.name),
      text(row.hardware) + (row.functional ? ' (functional)' : ''),
      row.software.map((each) => text(each)).join('<br>'),
      String(row.runs),
      text(row.firstUtc.slice(0, 16)),
      text(row.lastUtc.slice(0, 16)),
      row.outcomes.map(([name, count]) => `${count} ${text(name)}`).join(', '),
    ]),
  );
}

function ratios({ ratios: rows }: ReportData): string {
  return markdownTable(
    ['mode', 'against', 'ratio', 'interval', 'what', 'system', 'how sure', 'not fair because'],
    rows.map((row) => [
      text(row.mode),
      text(row.baseline),
      row.ratio.toFixed(2),
      `${row.low.toFixed(2)} to ${row.high.toFixed(2)}`,
      text(row.what),
      text(row.system) + (row.functional ? ' (functional)' : ''),
      text(row.basis),
      row.unfair.map((each) => text(each)).join('; '),
    ]),
  );
}

function limits({ limits: rows }: ReportData): string {
  return markdownTable(
    ['searched', 'at', 'mode', 'chips', 'largest that ran', 'smallest that did not', 'system'],
    rows.map((row) => [
      text(row.experiment),
      text(row.at),
      text(row.mode),
      String(row.chips),
      text(row.largest ?? 'not known'),
      text(row.smallestFailed === null ? 'not known' : `${row.smallestFailed} ${row.failure ?? ''}`),
      text(row.system),
    ]),
  );
}

function runTable(runs: readonly RunRow[]): string {
  const number = (value: number | null): string => (value === null ? '' : formatNumber(value));
  return markdownTable(
    [
      'run',
      'system',
      'mode',
      'model',
      'chips',
      'batch',
      'sequence',
      's/step',
      'TFLOPS',
      'GPU GiB',
      'host GiB',
      'outcome',
      'proof',
    ],
    runs.map((row) => [
      `[${row.record.startedUtc.slice(0, 16).replace('T', ' ')}](${pageName(row.runId)})`,
      text(row.system),
      text(row.mode),
      text(row.model, 60),
      String(row.chips),
      text(row.batch ?? ''),
      row.sequenceLength === null ? '' : formatTokens(row.sequenceLength),
      number(row.stepMs === null ? null : row.stepMs / 1000),
      number(row.tflopsPerGpu),
      number(row.gpuGiB),
      number(row.hostGiB),
      text(row.outcome),
      row.outcome === 'ok' ? '' : text(row.proof, 160),
    ]),
  );
}
