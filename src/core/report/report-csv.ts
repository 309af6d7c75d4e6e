import { csvText, type CsvCell } from '../text/csv.ts';
import type { ReportData, RunRow } from './report-data.ts';

type Column = readonly [name: string, cell: (row: RunRow) => CsvCell];

const columns: readonly Column[] = [
  ['runId', ({ runId }) => runId],
  ['startedUtc', ({ record }) => record.startedUtc],
  ['system', ({ system }) => system],
  ['hardware', ({ record }) => record.system.title],
  ['functional', ({ record }) => record.functional],
  ['experiment', ({ experiment }) => experiment],
  ['workload', ({ record }) => record.workload],
  ['mode', ({ mode }) => mode],
  ['model', ({ model }) => model],
  ['chips', ({ chips }) => chips],
  ['microBatch', ({ record }) => record.case?.microBatch ?? null],
  ['gradientAccumulation', ({ record }) => record.case?.gradientAccumulation ?? null],
  ['globalBatch', ({ record }) => record.case?.globalBatch ?? null],
  ['sequenceLength', ({ sequenceLength }) => sequenceLength],
  ['dtype', ({ record }) => record.case?.dtype ?? null],
  ['activationCheckpointing', ({ record }) => record.case?.activationCheckpointing ?? null],
  ['medianStepMs', ({ stepMs }) => stepMs],
  ['intervalLowMs', ({ lowMs }) => lowMs],
  ['intervalHighMs', ({ highMs }) => highMs],
  ['intervalConfidence', ({ confidence }) => confidence],
  ['intervalBasis', ({ record }) => record.statistics?.interval?.basis ?? null],
  ['samples', ({ record }) => record.statistics?.samples ?? null],
  ['tflopsPerGpu', ({ tflopsPerGpu }) => tflopsPerGpu],
  ['flopFormula', ({ record }) => record.throughput.formula],
  ['mfu', ({ mfu }) => mfu],
  ['tokensPerSecond', ({ tokensPerSecond }) => tokensPerSecond],
  ['peakGpuAllocatedGiB', ({ gpuGiB }) => gpuGiB],
  ['peakHostGiB', ({ hostGiB }) => hostGiB],
  ['lastLoss', ({ lastLoss }) => lastLoss],
  ['torch', ({ record }) => record.stack?.torch ?? null],
  ['deepspeed', ({ record }) => record.stack?.deepspeed ?? null],
  ['lock', ({ record }) => record.stack?.hash.slice(0, 12) ?? null],
  ['outcome', ({ outcome }) => outcome],
  ['proof', ({ outcome, proof }) => (outcome === 'ok' ? null : proof.slice(0, 500))],
  ['warnings', ({ record }) => record.warnings.join('; ') || null],
];

/** One row a run, newest first; the header names every unit. */
export function runsCsv({ runs }: Pick<ReportData, 'runs'>): string {
  return csvText(
    columns.map(([name]) => name),
    runs.map((row) => columns.map(([, cell]) => cell(row))),
  );
}
