import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import { readArchiveRecords } from '../../../src/workflows/archive/read-archive.ts';
import { context, files, log, manifest, newPlace, recordFile, refused, run, runId } from './refusal.ts';
import { manifestEntry, paxEntry, rawArchive, rawTar, type RawEntry } from './tar-bytes.ts';

/** A manifest that lists a path that it must not. */
function listing(path: string): Buffer {
  const evil = { path, content: 'evil' };
  return rawArchive([manifestEntry([runId], [...files, evil]), ...files, evil]);
}

/** An archive as it should be, and one entry more. */
function smuggling(...entries: readonly RawEntry[]): Buffer {
  return rawArchive([manifest, ...files, ...entries]);
}

describe('an archive as it should be', () => {
  it('is imported: the hostile ones below differ from it by one thing each', async () => {
    const { into, archive } = newPlace();
    writeFileSync(archive, rawArchive([manifest, ...files]));
    const report = await importRuns(context, { archive, into, maxGiB: null, dryRun: false });
    expect(report.imported.map((each) => each.runId)).toEqual([runId]);
    expect(readFileSync(join(into, runId, 'output.log'), 'utf8')).toBe('a line\n');
    expect(readdirSync(into)).toEqual([runId]);
  });
});

describe('a hostile archive writes nothing, and is refused with its reason', () => {
  it.each([
    ['../', '../outside/kept'],
    ['../ within a run', `${run}/../../outside/kept`],
    ['an absolute path', '/tmp/superoffload-evil'],
    ['an absolute path below runs', 'runs//etc/passwd'],
    ['a backslash', `${run}\\..\\..\\kept`],
    ['a control character', `${run}/out\u001b]0;title\u0007put.log`],
    ['a line feed', `${run}/output.log\nforged`],
    ['a right-to-left mark', `${run}/\u202egol.tuptuo`],
    ['a name that no run has', `${run}/authorized_keys`],
    ['a folder that is no run', 'runs/.ssh/authorized_keys'],
    ['a run id with a path in it', 'runs/20260102T030000Z-../../x-0000/record.json'],
    ['a request to stop', `${run}/cancel`],
    ['a drive letter', 'C:/kept'],
    ['a dot folder', '.git/hooks/post-checkout'],
    ['a path of 4 kB', `${run}/ranks/${'a/'.repeat(2000)}x.log`],
    ['no name', ''],
  ])('that lists %s', async (_name, path) => {
    await refused(listing(path), /no path of an archive|cut or damaged|path is required/);
  });

  it.each([
    ['../', { path: '../outside/kept', content: 'evil' }],
    ['an absolute path', { path: '/tmp/superoffload-evil', content: 'evil' }],
    ['a listed file once more', { ...log, content: 'another' }],
    ['the manifest once more', manifest],
    ['a name that differs by case', { path: `${run}/OUTPUT.log`, content: 'evil' }],
  ])('that smuggles %s past its manifest', async (_name, entry) => {
    await refused(smuggling(entry), /not in its manifest|is there twice/);
  });

  it.each([
    ['a symbolic link out', { path: run, type: '2', linkpath: '../../outside' }],
    ['a symbolic link to /', { path: `${run}/output.log`, type: '2', linkpath: '/etc/passwd' }],
    ['a hard link out', { path: `${run}/output.log`, type: '1', linkpath: '../outside/kept' }],
    ['a character device', { path: `${run}/output.log`, type: '3' }],
    ['a block device', { path: `${run}/output.log`, type: '4' }],
    ['a pipe', { path: `${run}/output.log`, type: '6' }],
    ['a folder', { path: '../outside/new/', type: '5' }],
    ['a sparse file', { path: `${run}/output.log`, type: 'S', content: 'x' }],
  ])('that holds %s, before or after its file', async (_name, entry) => {
    await refused(smuggling(entry), /no plain file|cut or damaged/);
    await refused(rawArchive([manifest, entry, ...files]), /no plain file|cut or damaged/);
  });

  it('that writes through a link of its own', async () => {
    const link = { path: run, type: '2', linkpath: '../../outside' };
    const through = { path: `${run}/kept`, content: 'evil' };
    await refused(rawArchive([manifest, link, through, ...files]), /no plain file[^]*not in its manifest/);
  });

  it('whose pax header renames a file, resizes it, or renames all', async () => {
    const renamed = paxEntry({ path: '../outside/kept' });
    await refused(
      rawArchive([manifest, recordFile, renamed, log]),
      /"\.\.\/outside\/kept" is not in its manifest/,
    );
    const resized = paxEntry({ size: '999999999' });
    await refused(
      rawArchive([manifest, recordFile, resized, log]),
      /has 999999999 bytes|cut or damaged|listed but/,
    );
    const linked = paxEntry({ path: `${run}/output.log`, linkpath: '/etc/passwd' });
    await refused(
      rawArchive([manifest, recordFile, linked, { ...log, path: 'x', type: '2', linkpath: 'y' }]),
      /no plain file/,
    );
    const huge = paxEntry({ comment: 'x'.repeat(5_000_000) });
    await refused(rawArchive([huge, manifest, ...files, { path: '../x', content: 'x' }]), /is no plain file/);
  });

  it('with files that only some file systems keep apart, or one within another', async () => {
    const two = (a: string, b: string): Buffer => listing2([a, b]);
    const listing2 = (paths: readonly string[]): Buffer => {
      const more = paths.map((path) => ({ path, content: path }));
      return rawArchive([manifestEntry([runId], [...files, ...more]), ...files, ...more]);
    };
    await refused(two(`${run}/ranks/A.log`, `${run}/ranks/a.log`), /differ only by case/);
    await refused(two(`${run}/ranks/a.log`, `${run}/ranks/a.log`), /listed twice/);
    await refused(two(`${run}/ranks/a.log`, `${run}/ranks/a.log/b.log`), /which is a file/);
  });
});

describe('an archive that lies about its size', () => {
  const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);

  it('a file of other length than the manifest says', async () => {
    await refused(
      rawArchive([manifest, recordFile, { ...log, content: 'x'.repeat(9_000) }]),
      /has 9000 bytes; its manifest says 7/,
    );
  });

  it('a header that claims eight exabytes', async () => {
    const bytes = rawTar([manifest, recordFile, { ...log, bytes: 0o77777777777 }]);
    await refused(gzipSync(bytes), /has 8589934591 bytes|cut or damaged/);
  });

  it('a bomb behind the last file, and one in a listed file', async () => {
    const bomb = Buffer.concat([rawTar([manifest, ...files], false), zeros(64 * 1024 ** 2)]);
    await refused(gzipSync(bomb), /more than its manifest says|cut or damaged/);
    const honest = { path: `${run}/ranks/a.log`, content: 'x' };
    const listed = { path: honest.path, bytes: 900 * 1024 ** 3, sha256: '0'.repeat(64) };
    const entries = JSON.parse(String(manifestEntry([runId], files).content)) as { files: unknown[] };
    const lying = manifestEntry([runId], files, { files: [...entries.files, listed] });
    await refused(rawArchive([lying, ...files, honest]), /would unpack to 900 GiB[^]*/);
  });

  it('a lock that is a bomb once each run has its copy, is too large, or is of another stack', async () => {
    const hash = '0'.repeat(64);
    const lockFile = {
      path: `locks/${hash}.json`,
      content: JSON.stringify({ hash, x: 'x'.repeat(3_000_000) }),
    };
    const runIds = Array.from(
      { length: 400 },
      (_, index) => runId.slice(0, -4) + index.toString(16).padStart(4, '0'),
    );
    const records = runIds.map((id) => ({ path: `runs/${id}/record.json`, content: '{}' }));
    const runs = runIds.map((id) => ({ runId: id, title: '', lock: hash, hiddenSecrets: 0 }));
    const all = [...records, lockFile];
    await refused(rawArchive([manifestEntry([], all, { runs }), ...all]), /would unpack to 1\.1\d GiB/);
    const one = { runs: [{ ...runs[0], runId }] };
    const large = { ...lockFile, content: 'x'.repeat(5_000_000) };
    await refused(
      rawArchive([manifestEntry([], [...files, large], one), ...files, large]),
      /larger than the 4 MiB/,
    );
    const wrong = { ...lockFile, content: '{"hash":"other"}' };
    await refused(
      rawArchive([manifestEntry([], [...files, wrong], one), ...files, wrong]),
      /not the lock of that hash/,
    );
  });

  it('records that are no more than 64 MiB each, and too many', async () => {
    const ids = Array.from({ length: 6 }, (_, index) => `${runId.slice(0, -4)}${index}${runId.slice(-3)}`);
    const runs = ids.map((id) => ({ runId: id, title: '', lock: null, hiddenSecrets: 0 }));
    const listed = ids.map((id) => ({
      ...{ path: `runs/${id}/record.json`, bytes: 50 * 1024 ** 2, sha256: '0'.repeat(64) },
    }));
    const hostile = rawArchive([manifestEntry([], [], { runs, files: listed })]);
    await refused(hostile, /its 6 files record\.json have 300 MiB together; 256 MiB at most/);
    const { archive } = newPlace();
    writeFileSync(archive, hostile);
    await expect(readArchiveRecords(context, archive)).rejects.toThrow('300 MiB together');
  });

  it('a manifest that does not end', async () => {
    const endless = { path: 'manifest.json', content: zeros(80 * 1024 ** 2) };
    await refused(rawArchive([endless]), /larger than the 64 MiB|more than its manifest says/);
  });

  it('a gzip within the gzip', async () => {
    await refused(gzipSync(rawArchive([manifest, ...files])), /is no tar/);
  });
});
