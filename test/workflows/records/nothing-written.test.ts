import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../../src/workflows/records/read-records.ts';
import { writeReport } from '../../../src/workflows/report/write-report.ts';
import { archivePlace, contentsOf, storeWhole } from '../archive/sample-runs.ts';

const place = archivePlace();
const { sample, context } = place;

/** A run whose tool was killed before it wrote the record. */
async function killed(): Promise<string> {
  const { runId } = await storeWhole(sample);
  const path = join(sample.home, 'runs', runId, 'record.json');
  rmSync(path);
  return path;
}

describe('a run whose record must be rebuilt', () => {
  it('is read, and nothing is written for it', async () => {
    await killed();
    const before = contentsOf(sample.root);
    expect((await readRecords(context, [])).records).toHaveLength(1);
    expect(contentsOf(sample.root)).toEqual(before);
  });

  it('has nothing written by dry runs of export and report', async () => {
    await killed();
    const before = contentsOf(sample.root);
    const { report } = await place.exported('a.tar.gz', { dryRun: true, figures: true });
    expect(report.runs).toHaveLength(1);
    const out = join(place.out(), 'report');
    await writeReport(context, { out, from: [], formats: ['html'], system: null, dryRun: true });
    expect(contentsOf(sample.root)).toEqual(before);
  });

  it('goes into an archive with its record', async () => {
    const path = await killed();
    const { archive } = await place.exported();
    expect(existsSync(path)).toBe(true);
    expect((await place.imported(archive)).imported).toHaveLength(1);
  });
});
