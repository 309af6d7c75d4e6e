import { describe, expect, it } from 'vitest';
import { indexPage } from '../../../src/core/report/page/index-page.ts';
import { reportMarkdown } from '../../../src/core/report/report-markdown.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sampleRecord } from '../../workflows/records/sample-home.ts';
import { reportOf, steps } from './sample-report.ts';

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
