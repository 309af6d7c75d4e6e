import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareResults } from '../../../src/workflows/compare/compare.ts';
import { pageName } from '../../../src/core/report/page-name.ts';
import { writeReport } from '../../../src/workflows/report/write-report.ts';
import { archivePlace, storeWhole } from './sample-runs.ts';
import { samplePlan } from '../../core/sample-plan.ts';

const place = archivePlace();
const { sample, context } = place;

function withBuckets(size: number) {
  const config = { train_batch_size: 8, zero_optimization: { stage: 2, reduce_bucket_size: size } };
  return { plan: { files: { ...samplePlan().files, 'ds_config.json': JSON.stringify(config) } } };
}

describe('the configurations in an archive', () => {
  it('stand in a report: the command and the DeepSpeed JSON, without a link to a folder', async () => {
    const { runId } = await storeWhole(sample, withBuckets(123_456_789));
    const { archive } = await place.exported();
    const out = join(place.out(), 'report');
    const request = { out, from: [archive], formats: ['html' as const], system: null, dryRun: false };
    await writeReport({ ...context, home: join(place.out(), 'other') }, request);
    const page = readFileSync(join(out, pageName(runId)), 'utf8');
    expect(page).toContain('123456789');
    expect(page).toContain(samplePlan().command.at(-1));
    expect(page).not.toContain('output.log');
  });

  it('are compared as those of folders are', async () => {
    await storeWhole(sample, withBuckets(1));
    const a = await place.exported('a.tar.gz');
    await storeWhole(sample, withBuckets(2));
    const b = await place.exported('b.tar.gz', { sources: ['last'] });
    const { differences } = await compareResults(context, {
      ...{ a: a.archive, b: b.archive, metrics: ['stepMs'], filters: [] },
    });
    expect(differences.config).toEqual([{ name: 'zero_optimization.reduce_bucket_size', a: '1', b: '2' }]);
  });
});
