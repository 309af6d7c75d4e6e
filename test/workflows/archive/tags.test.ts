import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { importText } from '../../../src/cli/text/archive.ts';
import { tagProblems } from '../../../src/core/archive/tags.ts';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { listAllTags, tagRuns } from '../../../src/workflows/records/tags.ts';
import { archivePlace, storeWhole } from './sample-runs.ts';

const place = archivePlace();
const { sample, context } = place;
const tag = (name: string, ...runs: string[]) => tagRuns(context, name, runs, { dryRun: false });
const tagsOf = async (of: Context): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries((await listAllTags(of)).map(({ name, runIds }) => [name, runIds]));

/** Another state folder, new for each test. */
const elsewhere = (): Context => ({ ...context, home: join(place.out(), 'other') });
const take = (archive: string, of: Context, change: { into?: string; dryRun?: boolean } = {}) =>
  importRuns(of, { archive, into: null, maxGiB: null, dryRun: false, ...change });

beforeEach(() => {
  rmSync(join(sample.home, 'tags'), { recursive: true, force: true });
});

describe('the tags of an archive', () => {
  it('are those of its runs, and come back with them', async () => {
    const [a, b] = [await storeWhole(sample), await storeWhole(sample)];
    await tag('baseline', a.runId);
    await tag('both', a.runId, b.runId);
    const { archive, report } = await place.exported('a.tar.gz', { sources: [a.runId] });
    expect(report.tags).toEqual([
      { name: 'baseline', runIds: [a.runId] },
      { name: 'both', runIds: [a.runId] },
    ]);
    expect(report.notes).toEqual(['tag both stands for 1 more runs that are not exported']);
    const other = elsewhere();
    const dry = await take(archive, other, { dryRun: true });
    expect(importText(dry)).toContain('would tag 1 run baseline');
    expect(await tagsOf(other)).toEqual({});
    const taken = await take(archive, other);
    expect(taken.tags?.map(({ state }) => state)).toEqual(['set', 'set']);
    expect(await tagsOf(other)).toEqual({ baseline: [a.runId], both: [a.runId] });
    const again = await take(archive, other);
    expect(again.tags?.map(({ state }) => state)).toEqual(['there', 'there']);
  });

  it('change no tag that is there: the clash is told, with the command for another name', async () => {
    const [a, b] = [await storeWhole(sample), await storeWhole(sample)];
    await tag('baseline', a.runId);
    const { archive } = await place.exported('a.tar.gz', { sources: [a.runId] });
    await tag('baseline', b.runId);
    const report = await take(archive, context);
    expect(report.tags).toMatchObject([{ state: 'kept', problem: 'it stands for other runs here' }]);
    expect(importText(report)).toContain(`superoffload runs tag NAME ${a.runId}`);
    expect(await tagsOf(context)).toEqual({ baseline: [b.runId] });
  });

  it('hide no campaign of here', async () => {
    const { runId } = await storeWhole(sample);
    await tag('night', runId);
    const { archive } = await place.exported();
    const other = elsewhere();
    mkdirSync(join(other.home, 'campaigns', 'night'), { recursive: true });
    writeFileSync(join(other.home, 'campaigns', 'night', 'campaign.json'), '{}');
    const kept = await take(archive, other);
    expect(kept.tags).toMatchObject([{ state: 'kept', problem: 'a campaign is called so' }]);
    expect(await tagsOf(other)).toEqual({});
  });

  it('never make an archive that no import takes: names that differ by case, and files that are no tags', async () => {
    const { runId } = await storeWhole(sample);
    await tag('base', runId);
    await tag('Base', runId);
    const file = (runIds: string[]): string => JSON.stringify({ schemaVersion: 1, runIds });
    writeFileSync(join(sample.home, 'tags', 'my tag.json'), file([runId]));
    writeFileSync(join(sample.home, 'tags', 'double.json'), file([runId, runId]));
    const { archive, report } = await place.exported();
    expect(report.notes).toEqual(['tag "my tag" is not exported: no tag is called so']);
    const other = elsewhere();
    await take(archive, other);
    expect(await tagsOf(other)).toEqual({ Base: [runId], base: [runId], double: [runId] });
  });

  it('are none in another folder, and an archive without them is as it was before there were any', async () => {
    const { runId } = await storeWhole(sample);
    const { archive, report } = await place.exported();
    expect(report.tags).toEqual([]);
    await tag('v1', runId);
    const tagged = await place.exported('b.tar.gz');
    const report2 = await take(tagged.archive, elsewhere(), { into: join(place.out(), 'into') });
    expect(report2.tags).toBeNull();
    expect((await take(archive, elsewhere())).tags).toEqual([]);
  });
});

describe('the tags of a hostile archive', () => {
  const id = '20260102T030405Z-a-0001';
  it.each<[string, unknown]>([
    ['are no list', {}],
    ['are too many', Array.from({ length: 1001 }, (_, index) => ({ name: `t${index}`, runIds: [id] }))],
    ['lead elsewhere', [{ name: '../runs/x', runIds: [id] }]],
    ['have a word of the tool', [{ name: 'last', runIds: [id] }]],
    ['are there twice', ['a', 'a'].map((name) => ({ name, runIds: [id] }))],
    ['stand for nothing', [{ name: 'a', runIds: [] }]],
    ['stand for a run twice', [{ name: 'a', runIds: [id, id] }]],
    ['stand for a run of somebody else', [{ name: 'a', runIds: ['20260102T030405Z-b-0001'] }]],
    ['are null', [null]],
  ])('that %s', (_name, tags) => {
    expect(tagProblems(tags, new Set([id]))).not.toEqual([]);
    expect(tagProblems([{ name: 'a', runIds: [id] }], new Set([id]))).toEqual([]);
  });
});
