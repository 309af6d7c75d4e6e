import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  appendEvent,
  createRunFolder,
  listRunIds,
  removeRun,
  requestStop,
  writePlan,
  writeRecord,
} from '../../src/adapters/run-store.ts';
import { findRunId, readRecord, readRun } from '../../src/adapters/stored-runs.ts';
import { recoverRecord } from '../../src/workflows/runs/recover.ts';
import { samplePlan } from '../core/sample-plan.ts';
import { goodLog, recordOf } from '../core/sample-record.ts';

const home = mkdtempSync(join(tmpdir(), 'run-store-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});
const second = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('run folders', () => {
  it('are different for runs of one second, and 50 at once too', async () => {
    const folders = await Promise.all(
      Array.from({ length: 50 }, () => createRunFolder(home, 'same', second)),
    );
    expect(new Set(folders.map(({ path }) => path)).size).toBe(50);
    expect(await listRunIds(home)).toEqual(folders.map(({ runId }) => runId).sort());
    for (const { runId } of folders) await removeRun(home, runId);
    expect(await listRunIds(home)).toEqual([]);
  });

  it('hold a plan that reads back as it was, a script that can be run, and no temporary file', async () => {
    const folder = await createRunFolder(home, 'case', second);
    await writePlan(folder, samplePlan(), { PATH: '/bin' });
    await writeRecord(folder, recordOf(goodLog(), { runId: folder.runId }));
    expect(readdirSync(folder.path).sort()).toEqual([
      'ds_config.json',
      'env.json',
      'plan.json',
      'record.json',
      'run.sh',
    ]);
    expect(statSync(join(folder.path, 'run.sh')).mode & 0o111).toBe(0o111);
    const run = readRun(home, folder.runId);
    expect(run.plan).toEqual(samplePlan());
    expect(run.record).toEqual(readRecord(home, folder.runId));
    expect(run).toMatchObject({ livePids: [], watched: false, events: [] });
    await requestStop(folder);
    expect(readFileSync(join(folder.path, 'stop'), 'utf8')).toBe('');
    await removeRun(home, folder.runId);
  });

  it('have no runs where there is no folder', async () => {
    expect(await listRunIds(join(home, 'not-there'))).toEqual([]);
    await expect(findRunId(join(home, 'not-there'), 'last')).rejects.toThrow('there is no run "last"');
  });
});

describe('last', () => {
  it('is the newest of one second by the time of its plan, whatever its suffix', async () => {
    const folders = [];
    for (let index = 0; index < 6; index += 1) {
      const folder = await createRunFolder(home, 'case', second);
      await writePlan(folder, samplePlan(), {});
      utimesSync(join(folder.path, 'plan.json'), 1_000 + index, 1_000 + index);
      folders.push(folder);
    }
    expect(await findRunId(home, 'last')).toBe(folders.at(-1)!.runId);
    const later = await createRunFolder(home, 'case', second + 1_000);
    expect(await findRunId(home, 'last')).toBe(later.runId);
    for (const { runId } of [...folders, later]) await removeRun(home, runId);
  });
});

describe('recoverRecord', () => {
  it('rebuilds from plan, journal and log what a killed tool could not write', async () => {
    const folder = await createRunFolder(home, 'case', second);
    await writePlan(folder, samplePlan(), {});
    appendFileSync(join(folder.path, 'output.log'), `${goodLog().join('\n')}\n`);
    appendEvent(folder, { type: 'started', utc: '2026-01-02T03:04:06.000Z', pid: 2 ** 22, startTicks: '1', toolPid: 2 ** 22, toolStartTicks: '1' }); // prettier-ignore
    appendEvent(folder, { type: 'exited', utc: '2026-01-02T03:05:06.000Z', exitCode: 0, signal: null });
    expect(recoverRecord(readRun(home, folder.runId))).toMatchObject({
      runId: folder.runId,
      recovered: true,
      durationMs: 60_000,
      outcome: { class: 'ok' },
      lastIteration: 30,
    });
  });

  it('takes the time from the name where the journal is empty, and nothing at all without a plan', async () => {
    const folder = await createRunFolder(home, 'case', second);
    expect(recoverRecord(readRun(home, folder.runId))).toBeNull();
    await writePlan(folder, samplePlan(), {});
    expect(recoverRecord(readRun(home, folder.runId)), 'never started').toBeNull();
    writeFileSync(join(folder.path, 'output.log'), `${goodLog()[0] ?? ''}\n`);
    expect(recoverRecord(readRun(home, folder.runId))).toMatchObject({
      startedUtc: '2026-01-02T03:04:05.000Z',
      durationMs: null,
      outcome: { class: 'incomplete' },
    });
    mkdirSync(join(home, 'runs', 'not a run'));
    expect(await listRunIds(home)).not.toContain('not a run');
  });
});
