import type { Case } from '../src/core/experiment/case.ts';
import type { MeasuredLimits } from '../src/core/figures/timeline/rates.ts';
import { settingWords } from '../src/core/experiment/setting-words.ts';
import { parameterCount } from '../src/core/model/shape.ts';
import type { RunRecord } from '../src/core/results/record.ts';
import { sessionRatio } from '../src/core/results/session-ratio.ts';
import { fullConfidence, isMeasured, type CaseSummary } from '../src/core/results/summarize.ts';
import { aboveBound } from './overlap-bounds.ts';
import { baselineOf, isPlainOffload, rowsOf, type Row } from './overlap-rows.ts';
import type { Source } from './overlap-runs.ts';
import { targetRows } from './overlap-targets.ts';

/** The text of bench/overlap.md. */
export function overlapReport(sources: readonly Source[]): string {
  const calls = sources.map((source) => ({ source, rows: rowsOf(source) }));
  return [
    '# The overlap optimizer, as measured',
    'Made by `npx tsx bench/overlap.ts`. s/step is the median of the steps after warm-up; of several launches the ' +
      'geometric mean of their medians, with the interval between them. `~`: less than 95% sure, because the steps are ' +
      'too few or follow one another too closely. TFLOPS per GPU, recomputation excluded. GPU: peak allocated; host: ' +
      'peak of the run, GiB, the most of its launches. The ratio is against zero_offload as published, of the same size, batch and sequence, in the ' +
      'same call; of one launch each its interval joins the ends of the intervals within the two runs, and knows ' +
      'nothing of how much a second launch would differ. `(memory)`: its GPU memory differs by more than 10%, which ' +
      'alone may make it faster or slower. above: how far the step is above the bound of docs/performance.md (forward, ' +
      'then CPU Adam while copies cross both ways), where the machine was measured in the same call, and nothing is ' +
      'accumulated or recomputed.',
    ...calls.flatMap(({ source, rows }) => callText(source, rows)),
    '## What it should reach',
    table(['case', 'asked', 'measured', 'of', '', 'in other calls'], targetRows(calls)),
    'What `tune` did: docs/tuning.md; tune.md has it simulated and replayed. Nothing of this was measured on two GPUs.',
    'MegaTrain publishes 272 TFLOPS at 7B (one H100, its own batch and sequence; arXiv 2604.05091). It is another case on ' +
      'another GPU: no ratio is taken.',
  ]
    .join('\n\n')
    .concat('\n');
}

function callText({ name, records, notes, limits }: Source, rows: readonly Row[]): string[] {
  const machines = [...new Set(records.map(machineText))];
  const days = [...new Set(records.map(({ startedUtc }) => startedUtc.slice(0, 10)))].sort();
  const counts = rows.map((row) => row.launches.filter(isMeasured).length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const each = most === 1 ? 'one launch each' : `${least} to ${most} launches each`;
  return [
    `## ${name}`,
    `${machines.join('; ')}. ${days.join(' and ')}; ${each}.`,
    table(
      [
        'size',
        'GPUs',
        'batch',
        'sequence',
        'mode',
        'launches',
        's/step',
        '95% interval',
        'TFLOPS',
        'GPU',
        'host',
        ...(limits === null ? [] : ['above']),
        'against zero_offload',
      ],
      rows.map((row) => rowCells(row, rows, limits)),
    ),
    ...notes.map((note) => `Not used: ${note}`),
  ];
}

function machineText({ system, stack, facts }: RunRecord): string {
  const { chipsPerNode, gpuName, accelerator, cores, hostGiB } = system;
  const host = hostGiB === null ? '' : `, ${hostGiB.toFixed(1)} GiB of host memory`;
  const torch = facts['torch'] ?? stack?.torch ?? 'unknown';
  const deepspeed = facts['deepspeed'] ?? stack?.deepspeed ?? 'unknown';
  return `${chipsPerNode} x ${gpuName ?? accelerator}, ${cores} cores${host}; torch ${torch}, DeepSpeed ${deepspeed}`;
}

function rowCells(row: Row, rows: readonly Row[], limits: MeasuredLimits | null): string[] {
  const { subject, launches, summary } = row;
  const { model, chips, sequenceLength, mode } = subject;
  const measured = launches.filter(isMeasured);
  const most = (memory: 'gpuAllocatedGiB' | 'hostGiB'): string => {
    const known = measured.flatMap((record) => record.memory[memory] ?? []);
    return known.length === 0 ? none : Math.max(...known).toFixed(1);
  };
  const size = `${model.name} (${(parameterCount(model, sequenceLength) / 1e9).toFixed(3)}e9)`;
  const words = settingWords(subject);
  return [
    ...[
      size,
      String(chips),
      batchCell(subject),
      String(sequenceLength),
      words === '' ? mode : `${mode}, ${words}`,
    ],
    launchesCell(launches),
    summary.stepMs === null ? summary.record.outcome.class : (summary.stepMs / 1000).toFixed(3),
    intervalCell(summary),
    summary.throughput.modelTflopsPerGpu?.toFixed(1) ?? none,
    most('gpuAllocatedGiB'),
    most('hostGiB'),
    ...(limits === null ? [] : [aboveCell(row, limits)]),
    ratioCell(row, rows),
  ];
}

const none = '-';

function aboveCell(row: Row, limits: MeasuredLimits): string {
  const above = aboveBound(row, limits);
  return above === null ? none : `${(100 * above).toFixed(0)}%`;
}

/** The global batch, as everywhere; with how it is accumulated: `64 (8x8)`. */
function batchCell({ globalBatch, microBatch, gradientAccumulation }: Case): string {
  return gradientAccumulation === 1
    ? String(globalBatch)
    : `${globalBatch} (${microBatch}x${gradientAccumulation})`;
}

function launchesCell(launches: readonly RunRecord[]): string {
  const measured = launches.filter(isMeasured).length;
  return measured === launches.length ? String(measured) : `${measured} of ${launches.length}`;
}

function intervalCell({ interval }: CaseSummary): string {
  if (interval === null) return none;
  const { lowMs, highMs, confidence } = interval;
  return `${(lowMs / 1000).toFixed(3)} to ${(highMs / 1000).toFixed(3)}${confidence < fullConfidence ? '~' : ''}`;
}

function ratioCell(row: Row, rows: readonly Row[]): string {
  const baseline = baselineOf(row, rows);
  if (baseline === null) return isPlainOffload(row) ? '1' : none;
  const found = sessionRatio(baseline.launches, row.launches);
  if (found === null) return none;
  const { ratio, low, high, basis } = found.ratio;
  const isSure = basis === 'between launches' || [baseline, row].every(isConfident);
  return `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}${isSure ? '' : '~'})${memoryMark(baseline, row)}`;
}

function isConfident({ summary: { interval } }: Row): boolean {
  return interval !== null && interval.confidence >= fullConfidence;
}

function memoryMark(baseline: Row, row: Row): string {
  const [before = null, after = null] = [baseline, row].map(
    ({ summary }) => summary.record.memory.gpuAllocatedGiB,
  );
  if (before === null || after === null) return ' (memory not known)';
  return Math.abs(after / before - 1) > 0.1 ? ' (memory)' : '';
}

/** A Markdown table as Prettier writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  );
}
