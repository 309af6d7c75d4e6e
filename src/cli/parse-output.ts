import type { Column } from '../adapters/table.ts';
import type { StepRow } from '../core/logs/step-row.ts';
import type { ParsedLog } from '../workflows/parse.ts';
import { csvLine, csvText, type CsvCell } from '../core/text/csv.ts';
import { formatNumber } from './text/format.ts';
import { resultTable } from './text/result-table.ts';

const columns: readonly Column[] = [
  { title: 'log' },
  { title: 'steps', align: 'right' },
  { title: 'warm-up', align: 'right' },
  { title: 's/step', align: 'right' },
  { title: 'interval (within one run)', align: 'right' },
  { title: 'TFLOPS (as logged, hardware FLOPs)', align: 'right' },
  { title: 'tokens/s', align: 'right' },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 'loss', align: 'right' },
  { title: 'outcome' },
];

/** The table, and below it what each log proves. */
export function parseTable(logs: readonly ParsedLog[]): string {
  const rows = logs.map((log) => [
    log.file,
    String(log.iterationCount),
    log.steps === null ? '' : String(log.steps.warmUpSteps),
    log.steps === null ? '' : formatNumber(log.steps.medianMs / 1000),
    interval(log),
    optional(log.loggedTflopsPerGpu),
    optional(log.tokensPerSecond),
    optional(log.memory?.gpuAllocatedGiB ?? null),
    optional(log.memory?.hostGiB ?? null),
    optional(log.lastLoss),
    log.outcome.class,
  ]);
  return [resultTable(columns, rows), '', ...logs.flatMap(proof)].join('\n');
}

function interval({ steps }: ParsedLog): string {
  if (steps?.interval === null || steps === null) return '';
  const { lowMs, highMs, confidence } = steps.interval;
  const percent = Math.floor(confidence * 100);
  return `${formatNumber(lowMs / 1000)} to ${formatNumber(highMs / 1000)} (${percent}%)`;
}

function optional(value: number | null): string {
  return value === null ? '' : formatNumber(value);
}

function proof({ file, outcome }: ParsedLog): string[] {
  const rank = outcome.rank === null ? '' : ` (rank ${outcome.rank})`;
  const lines = [`${file}: ${outcome.class}${rank}: ${outcome.reason}`];
  if (outcome.evidence !== null) lines.push(`  ${outcome.evidence.slice(0, 200)}`);
  if (outcome.hint !== null && outcome.class !== 'ok') lines.push(`  next: ${outcome.hint}`);
  return lines;
}

/** One row a log; the header names every unit. */
export function parseCsv(logs: readonly ParsedLog[]): string {
  const records = logs.map(csvRecord);
  const header = Object.keys(records[0] ?? {});
  return csvText(
    header,
    records.map((record) => Object.values(record)),
  ).slice(0, -1);
}

function csvRecord(log: ParsedLog): Record<string, CsvCell> {
  const { steps, memory, outcome } = log;
  return {
    file: log.file,
    bytes: log.bytes,
    lineCount: log.lineCount,
    damagedLines: log.damagedLines,
    iterationCount: log.iterationCount,
    firstIteration: log.firstIteration,
    lastIteration: log.lastIteration,
    plannedIterations: log.plannedIterations,
    warmUpSteps: steps?.warmUpSteps ?? null,
    samples: steps?.samples ?? null,
    medianStepMs: steps?.medianMs ?? null,
    intervalLowMs: steps?.interval?.lowMs ?? null,
    intervalHighMs: steps?.interval?.highMs ?? null,
    intervalConfidence: steps?.interval?.confidence ?? null,
    intervalBasis: steps?.interval?.basis ?? null,
    minStepMs: steps?.minMs ?? null,
    maxStepMs: steps?.maxMs ?? null,
    samplesPerSecond: log.samplesPerSecond,
    tokensPerSecond: log.tokensPerSecond,
    loggedHardwareTflopsPerGpu: log.loggedTflopsPerGpu,
    gpuAllocatedGiB: memory?.gpuAllocatedGiB ?? null,
    gpuReservedGiB: memory?.gpuReservedGiB ?? null,
    hostGiB: memory?.hostGiB ?? null,
    lastLoss: log.lastLoss,
    skippedIterations: log.skippedIterations,
    nanIterations: log.nanIterations,
    outcome: outcome.class,
    reason: outcome.reason,
    rank: outcome.rank,
    evidence: outcome.evidence,
  };
}

/** Writes iteration lines as they come, in pieces of some size, as NDJSON or CSV. */
export function stepWriter(
  format: 'json' | 'csv',
  print: (text: string) => void,
  onNewField: (file: string, name: string) => void,
): { readonly write: (file: string, row: StepRow) => void; readonly close: () => void } {
  let header: readonly string[] | undefined;
  const unknown = new Set<string>();
  let waiting = '';
  const put = (line: string): void => {
    waiting += `${line}\n`;
    if (waiting.length < 65_536) return;
    print(waiting);
    waiting = '';
  };
  const writeCsv = (file: string, row: StepRow): void => {
    if (header === undefined) {
      header = ['file', ...Object.keys(row)];
      put(csvLine(header));
    }
    for (const name of Object.keys(row)) {
      if (header.includes(name) || unknown.has(name)) continue;
      unknown.add(name);
      onNewField(file, name);
    }
    put(csvLine(header.map((name) => (name === 'file' ? file : (row[name] ?? null)))));
  };
  return {
    write: (file, row) => {
      if (format === 'csv') writeCsv(file, row);
      else put(JSON.stringify({ file, ...row }));
    },
    close: () => {
      if (waiting !== '') print(waiting);
    },
  };
}
