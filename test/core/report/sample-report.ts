import { buildReport } from '../../../src/core/report/build-report.ts';
import type { ReportData } from '../../../src/core/report/report-data.ts';
import { sampleRecord, type SampleRun } from '../../workflows/records/sample-home.ts';

/** The report of such runs, oldest first. */
export function reportOf(...runs: readonly SampleRun[]): ReportData {
  return buildReport({
    records: runs.map((run, index) => ({ record: sampleRecord(run, index), source: 'runs', folder: '/r' })),
    ...{ tool: 'superoffload 0.1.0', createdUtc: '2026-01-02T04:00:00.000Z', sources: ['runs'], notes: [] },
    addressOf: (folder) => `..${folder}`,
  });
}

/** Times of 30 steps around so many milliseconds. */
export const steps = (ms: number): number[] => Array.from({ length: 30 }, (_, index) => ms + (index % 7));
