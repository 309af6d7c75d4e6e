import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { capture } from '../../../src/adapters/exec.ts';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import { loadRun } from '../../../src/workflows/runs/runs.ts';
import { nameOfGone } from '../../adapters/name-of-gone.ts';
import { archivePlace, contentsOf, storeWhole } from './sample-runs.ts';

const place = archivePlace();
const { sample, context } = place;
const { home } = sample;

describe('runs export and runs import', () => {
  it.each(['a.tar.gz', 'a.tar.zst'])('give back every file of a run, from %s', async (name) => {
    const record = await storeWhole(sample);
    await storeWhole(sample, { stepMs: Array.from({ length: 30 }, () => 900) });
    const { archive, report } = await place.exported(name);
    expect(report.runs).toHaveLength(2);
    const { imported: runs, into } = await place.imported(archive);
    expect(runs.map(({ runId }) => runId)).toEqual(report.runs.map(({ runId }) => runId));
    expect(contentsOf(into)).toEqual(contentsOf(join(home, 'runs')));
    // Where another state folder has it, every verb for runs reads it.
    const other = { ...context, home: join(place.out(), 'other') };
    await importRuns(other, { archive, into: null, maxGiB: null, dryRun: false });
    expect((await loadRun(other, record.runId)).record).toEqual(record);
  });

  it('is an archive that tar itself reads, readable by all and owned by none', async () => {
    await storeWhole(sample);
    const { archive } = await place.exported();
    const listing = await capture(['tar', 'tvzf', archive, '--numeric-owner'], { env: process.env });
    expect(listing.exitCode, listing.stderr).toBe(0);
    const lines = listing.stdout.split('\n');
    expect(lines[0]).toMatch(/manifest\.json$/);
    expect(lines[1]).toMatch(/record\.json$/);
    expect(lines.every((line) => /^-rw-r--r-- 0\/0 /.test(line))).toBe(true);
  });

  it.each(['a.tar.gz', 'a.tar.zst'])(
    'has the same bytes for the same runs wherever they lie: %s',
    async (name) => {
      await storeWhole(sample);
      await storeWhole(sample);
      const { archive } = await place.exported(name);
      cpSync(join(home, 'runs'), join(place.out(), 'copy', 'runs'), { recursive: true });
      const again = await place.exported(`b-${name}`, {}, { ...context, home: join(place.out(), 'copy') });
      expect(readFileSync(again.archive).equals(readFileSync(archive))).toBe(true);
      // Once through an import as well.
      await place.imported(archive);
      const third = await place.exported(`c-${name}`, { sources: [join(place.out(), 'into')] });
      expect(readFileSync(third.archive).equals(readFileSync(archive))).toBe(true);
    },
  );

  it('skips what is there with the same content, and refuses all that is there with other', async () => {
    const [first, second] = [await storeWhole(sample), await storeWhole(sample)];
    const { archive } = await place.exported();
    expect((await place.imported(archive, null)).skipped).toEqual([first.runId, second.runId]);
    for (const { runId } of [first, second])
      writeFileSync(join(home, 'runs', runId, 'output.log'), 'another\n');
    await storeWhole(sample);
    const before = contentsOf(join(home, 'runs'));
    const error = await place.imported(archive, null).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'usage' });
    for (const { runId } of [first, second])
      expect((error as Error).message).toContain(`${runId} is there with other content: output.log`);
    expect(contentsOf(join(home, 'runs'))).toEqual(before);
  });

  it('removes what killed exports and imports left, and replaces no archive that came meanwhile', async () => {
    await storeWhole(sample);
    const killed = [
      nameOfGone(join(place.out(), 'a.tar.gz')),
      nameOfGone(join(place.out(), 'into', 'import')),
    ];
    mkdirSync(join(place.out(), 'into'));
    mkdirSync(killed[1] ?? '');
    writeFileSync(killed[0] ?? '', 'half of it');
    const { archive } = await place.exported();
    await place.imported(archive);
    expect(killed.map((path) => existsSync(path))).toEqual([false, false]);
    const came = join(place.out(), 'b.tar.gz');
    const emit = (): void => {
      writeFileSync(came, 'of somebody else');
    };
    await expect(place.exported('b.tar.gz', {}, { ...context, emit })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(readFileSync(came, 'utf8')).toBe('of somebody else');
    expect(readdirSync(place.out()).sort()).toEqual(['a.tar.gz', 'b.tar.gz', 'into']);
  });

  it('leaves logs out where asked to, and always checkpoints, caches, links and requests', async () => {
    const { runId } = await storeWhole(sample);
    const folder = join(home, 'runs', runId);
    mkdirSync(join(folder, 'data-cache'));
    writeFileSync(join(folder, 'data-cache', 'x.npy'), 'x');
    writeFileSync(join(folder, 'cancel'), '');
    writeFileSync(join(place.out(), 'outside.log'), 'not of the run');
    symlinkSync(join(place.out(), 'outside.log'), join(folder, 'ranks', 'link.log'));
    const { archive, report } = await place.exported('a.tar.gz', { logs: false });
    expect(report.runs[0]?.leftOut).toEqual([
      ...['cancel', 'data-cache/', 'ranks/link.log'],
      ...['output.log', 'ranks/none_x/attempt_0/0/stderr.log'],
    ]);
    const { into } = await place.imported(archive);
    expect(readdirSync(join(into, runId)).sort()).toEqual(
      ['ds_config.json', 'env.json', 'events.ndjson', 'plan.json', 'record.json', 'run.sh'].sort(),
    );
    // The run here has more: it is the same run.
    expect((await place.imported(archive, null)).skipped).toEqual([runId]);
  });
});
