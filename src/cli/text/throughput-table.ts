import type { Column } from '../../adapters/table.ts';
import type { System } from '../../core/experiment/case.ts';
import type { SkippedCase } from '../../core/experiment/grid.ts';
import { overlapHint } from '../../core/results/overlap-hint.ts';
import type { CaseSummary, ModeRatio } from '../../core/results/summarize.ts';
import type { BatchChoice } from '../../workflows/throughput/batch-search.ts';
import { batchCell, batchLine } from './batch.ts';
import { formatNumber } from './format.ts';
import { intervalCell, intervalNotes } from './interval.ts';
import { resultTable } from './result-table.ts';

const columns: readonly Column[] = [
  { title: 'mode' },
  { title: 'size' },
  { title: 'batch' },
  { title: 's/step', align: 'right' },
  { title: '95% interval', align: 'right' },
  { title: 'TFLOPS', align: 'right' },
  { title: 'MFU', align: 'right' },
  { title: 'tokens/s', align: 'right' },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 'loss', align: 'right' },
  { title: 'ratio', align: 'right' },
  { title: 'outcome' },
];

interface Measured {
  readonly summaries: readonly CaseSummary[];
  readonly ratios: readonly ModeRatio[];
  readonly batches?: readonly BatchChoice[];
}

/** The table that ends a run, with the footnotes without which its numbers would say too much. */
export function throughputTable(
  system: System,
  { summaries, ratios, batches = [] }: Measured,
  skipped: readonly SkippedCase[],
): string {
  const rows = [
    ...summaries.map((summary) => row(summary, ratios)),
    ...skipped.map(({ case: { mode, model }, kind }) => skippedRow(mode, model.name, kind)),
  ];
  return [
    title(system),
    resultTable(columns, rows),
    ...batches.map((choice) =>
      batchLine(choice, nameOf(choice.chosenCaseId ?? choice.askedCaseId, summaries)),
    ),
    ...footnotes(summaries, ratios, skipped),
    ...[overlapHint(system, summaries, ratios)].filter((line) => line !== null),
  ].join('\n');
}

function title(system: System): string {
  if (system.accelerator === 'cpu') return 'FUNCTIONAL: CPU ranks; these speeds say nothing about a GPU';
  if (system.link === 'c2c') return system.title;
  return `${system.title}: a GPU on PCIe is no superchip; do not compare with the paper's numbers as such`;
}

function row(summary: CaseSummary, ratios: readonly ModeRatio[]): string[] {
  const { record, caseId, throughput } = summary;
  const { memory } = record;
  const step = stepOf(summary);
  return [
    record.case?.mode ?? 'command',
    record.case?.model.name ?? record.caseId.replace(/^throughput-command-/, ''),
    record.case === null ? '-' : batchCell(record.case),
    orDash(step.medianMs === null ? null : step.medianMs / 1000),
    intervalCell(step.interval),
    orDash(throughput.modelTflopsPerGpu ?? throughput.loggedTflopsPerGpu),
    throughput.mfu === null ? '-' : `${(throughput.mfu * 100).toFixed(1)}%`,
    orDash(throughput.tokensPerSecond),
    orDash(memory.gpuAllocatedGiB),
    orDash(memory.hostGiB),
    orDash(record.lastLoss),
    ratioCell(ratios.find((ratio) => ratio.caseId === caseId)),
    outcomeCell(summary),
  ];
}

function flopsNotes(summaries: readonly CaseSummary[]): string[] {
  const formulas = new Set(summaries.flatMap(({ record }) => record.throughput.formula ?? []));
  const logged = summaries.some(
    ({ throughput }) => throughput.formula === null && throughput.loggedTflopsPerGpu !== null,
  );
  return [
    ...[...formulas].map((formula) => `TFLOPS: per chip, recomputation excluded, formula ${formula}`),
    ...(logged ? ['TFLOPS of a command: as its log says (hardware FLOPs)'] : []),
  ];
}

/** One word where all launches ended alike, else how many ended how. */
function outcomeCell({ launches }: CaseSummary): string {
  const counts = new Map<string, number>();
  for (const { outcome } of launches) counts.set(outcome.class, (counts.get(outcome.class) ?? 0) + 1);
  const [only] = counts.keys();
  if (counts.size === 1 && only !== undefined) return only;
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

/** Of a case without a launch that ended well: of the one that is shown, as its other numbers are. */
function stepOf({ stepMs, interval, record: { statistics } }: CaseSummary) {
  return stepMs === null
    ? { medianMs: statistics?.medianMs ?? null, interval: statistics?.interval ?? null }
    : { medianMs: stepMs, interval };
}

function ratioCell(found: ModeRatio | undefined): string {
  if (found === undefined) return '';
  const { ratio, low, high } = found.ratio;
  return `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})${found.confident ? '' : '~'}${found.unfair.length > 0 ? '!' : ''}`;
}

const whyNotRun: Readonly<Record<SkippedCase['kind'], string>> = {
  memory: 'not run: does not fit',
  'needs-cuda': 'not run: needs CUDA',
  'needs-patches': 'not run: needs patches',
};

function skippedRow(mode: string, model: string, kind: SkippedCase['kind']): string[] {
  const blanks = Array.from({ length: columns.length - 3 }, () => '-');
  return [mode, model, ...blanks, whyNotRun[kind]];
}

function footnotes(
  summaries: readonly CaseSummary[],
  ratios: readonly ModeRatio[],
  skipped: readonly SkippedCase[],
): string[] {
  const failed = summaries
    .flatMap(({ launches }) => launches)
    .filter(({ outcome }) => outcome.class !== 'ok');
  return [
    ...intervalNotes(summaries.map((summary) => stepOf(summary).interval)),
    ...(summaries.some(
      ({ interval, launches }) => interval?.basis === 'between launches' && launches.length < 3,
    )
      ? ['two launches give a very wide interval: use --repeat 3 or more']
      : []),
    ...hostSources(summaries),
    ...flopsNotes(summaries),
    ...(ratios.length === 0
      ? []
      : [`ratio: speed against ${baselineOf(ratios, summaries)}, ${basisOf(ratios)}`]),
    ...ratios
      .filter(({ unfair }) => unfair.length > 0)
      .map(({ caseId, unfair }) => `! ${nameOf(caseId, summaries)}: not a fair ratio: ${unfair.join('; ')}`),
    ...failed.map(failureLine),
    ...new Set(skipped.map(({ case: { mode }, reason }) => `${mode}: ${reason}`)),
    ...new Set(
      summaries.flatMap(({ record }) =>
        record.warnings.map((warning) => `warning: ${record.runId}: ${warning}`),
      ),
    ),
  ];
}

/** Two ways of counting host memory in one table are said, not mixed in silence. */
function hostSources(summaries: readonly CaseSummary[]): string[] {
  const sources = new Set(summaries.flatMap(({ record }) => record.memory.hostSource ?? []));
  return sources.size < 2 ? [] : [`host GiB: counted by ${[...sources].join(' and ')}`];
}

function failureLine({ title: what, outcome, runId }: CaseSummary['record']): string {
  const evidence = outcome.evidence === null ? '' : `\n    ${outcome.evidence}`;
  const hint = outcome.hint === null ? '' : `\n    ${outcome.hint}`;
  return `${outcome.class}: ${what}: ${outcome.reason}${evidence}${hint}\n    log: superoffload runs logs ${runId}`;
}

function baselineOf(ratios: readonly ModeRatio[], summaries: readonly CaseSummary[]): string {
  return [
    ...new Set(ratios.map(({ baselineCaseId }) => nameOf(baselineCaseId, summaries).split(' ')[0] ?? '')),
  ].join(', ');
}

function basisOf(ratios: readonly ModeRatio[]): string {
  return [...new Set(ratios.map(({ ratio }) => ratio.basis))].join(' and ');
}

function nameOf(caseId: string, summaries: readonly CaseSummary[]): string {
  const subject = summaries.find((summary) => summary.caseId === caseId)?.record.case;
  return subject === undefined || subject === null ? caseId : `${subject.mode} ${subject.model.name}`;
}

function orDash(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}
