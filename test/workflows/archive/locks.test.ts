import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { prepareRun } from '../../../src/workflows/runs/run-case.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { archivePlace, storeWhole } from './sample-runs.ts';

const place = archivePlace();
const { sample, context } = place;
const hash = 'ab'.repeat(32);
const stack = { name: 'kept', hash, torch: '2.11.0', deepspeed: '0.19.8' };
const lock = stackPaths(sample.home, stack.name).lock;
const storedLock = (of: string): string =>
  JSON.stringify({ hash: of, request: { indexUrl: 'https://me:hunter2@index/simple' } });

beforeEach(() => {
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, storedLock(hash));
});

describe('the lock of the stack that ran a run', () => {
  it('is kept in its folder from the start, without secrets, and none of another stack', async () => {
    const prepared = await prepareRun(context, { ...samplePlan(), stack }, null);
    expect(JSON.parse(readFileSync(join(prepared.path, 'lock.json'), 'utf8'))).toEqual({
      hash,
      request: { indexUrl: 'https://me:[redacted]@index/simple' },
    });
    writeFileSync(lock, storedLock('cd'.repeat(32)));
    const other = await prepareRun(context, { ...samplePlan(), stack }, null);
    expect(() => readFileSync(join(other.path, 'lock.json'))).toThrow('ENOENT');
    rmSync(lock);
    await prepareRun(context, { ...samplePlan(), stack }, null);
    await prepareRun(context, { ...samplePlan(), stack: null }, null);
  });

  it('goes into an archive after the stack was installed anew, once, and comes back with each run', async () => {
    // Started before runs kept their locks.
    const old = await storeWhole(sample, { record: { stack } });
    const kept = await storeWhole(sample, { record: { stack } });
    writeFileSync(join(sample.home, 'runs', kept.runId, 'lock.json'), storedLock(hash));
    writeFileSync(lock, storedLock('cd'.repeat(32)));
    const { archive, report } = await place.exported();
    expect(report).toMatchObject({ locks: 1, notes: [] });
    expect(report.runs.map(({ lock: of, leftOut }) => [of, leftOut])).toEqual([
      [hash, []],
      [hash, []],
    ]);
    const { into } = await place.imported(archive);
    for (const { runId } of [old, kept])
      expect(JSON.parse(readFileSync(join(into, runId, 'lock.json'), 'utf8'))).toMatchObject({ hash });
    const again = await place.exported('b.tar.gz', { sources: [into] });
    expect(readFileSync(again.archive).equals(readFileSync(archive))).toBe(true);
  });

  it('that nobody has any more is one note, which says what to do', async () => {
    for (const of of ['12', '34', '56']) {
      await storeWhole(sample, { record: { stack: { ...stack, hash: of.repeat(32) } } });
    }
    const { report } = await place.exported();
    expect(report.notes).toHaveLength(1);
    expect(report.notes[0]).toMatch(/^3 runs have no lock in the archive.*runs replay/);
  });
});
