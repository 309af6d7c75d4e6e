import { describe, expect, it } from 'vitest';
import { buildReport } from '../../../src/core/report/build-report.ts';
import { indexPage } from '../../../src/core/report/page/index-page.ts';
import type { ReportData } from '../../../src/core/report/report-data.ts';
import { reportMarkdown } from '../../../src/core/report/report-markdown.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sampleRecord, type SampleRun } from '../../workflows/records/sample-home.ts';

function reportOf(...runs: readonly SampleRun[]): ReportData {
  return buildReport({
    records: runs.map((run, index) => ({ record: sampleRecord(run, index), source: 'runs', folder: '/r' })),
    ...{ tool: 'superoffload 0.1.0', createdUtc: '2026-01-02T04:00:00.000Z', sources: ['runs'], notes: [] },
    addressOf: (folder) => `..${folder}`,
  });
}

const steps = (ms: number): number[] => Array.from({ length: 30 }, (_, index) => ms + (index % 7));
describe('a ratio of the report', () => {
  it('says that the machine was busy', () => {
    const busy = (tasks: number): Partial<RunRecord> => ({
      conditions: { ...sampleRecord().conditions, runningTasksBefore: tasks },
    });
    const { ratios } = reportOf(
      { stepMs: steps(1000) },
      { case: { mode: 'prism' }, stepMs: steps(500), record: busy(64) },
      { case: { mode: 'prism' }, stepMs: steps(510), record: busy(1) },
      { case: { mode: 'zero_infinity' }, stepMs: steps(2000), record: busy(64) },
    );
    expect(ratios.map(({ unfair }) => unfair)).toEqual([
      ['busy machine before prism: 1 of 2 launches, 64 tasks of others'],
      ['busy machine before zero_infinity: 64 tasks of others'],
    ]);
    const data = reportOf(
      { stepMs: steps(1000), record: busy(64) },
      { case: { mode: 'prism' }, stepMs: steps(500) },
    );
    expect(reportMarkdown(data)).toContain('busy machine before zero');
    expect(indexPage(data, [], () => '').toString()).not.toContain('Largest fair speed-up');
  });
});
