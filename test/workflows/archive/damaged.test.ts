import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import { readArchiveRecords } from '../../../src/workflows/archive/read-archive.ts';
import {
  context,
  files,
  log,
  manifest,
  newPlace,
  record,
  recordFile,
  refused,
  root,
  run,
  runId,
  snapshot,
} from './refusal.ts';
import { manifestEntry, rawArchive, rawTar } from './tar-bytes.ts';

describe('an archive that is damaged or none', () => {
  const good = rawArchive([manifest, ...files]);

  it('is refused wherever it is cut', async () => {
    for (const share of [0.02, 0.3, 0.6, 0.9, 0.99]) {
      await refused(good.subarray(0, Math.floor(good.length * share)), /cut or damaged|neither gzip/);
    }
    await refused(gzipSync(rawTar([manifest, ...files]).subarray(0, 2048)), /cut or damaged|is not there/);
    await refused(gzipSync(rawTar([manifest, recordFile])), /output\.log" is listed but is not there/);
  });

  it('is refused for one changed byte, in the content, the header, or the packed data', async () => {
    await refused(
      rawArchive([manifest, recordFile, { ...log, content: 'A line\n' }]),
      /not the content that the manifest says/,
    );
    await refused(rawArchive([manifest, recordFile, { ...log, badChecksum: true }]), /cut or damaged/);
    const flipped = Buffer.from(good);
    flipped[good.length - 6] = (flipped[good.length - 6] ?? 0) ^ 0xff;
    await refused(flipped, /cut or damaged/);
  });

  it.each([
    ['text', Buffer.from('hello'), /neither gzip nor zstd/],
    ['nothing', Buffer.alloc(0), /neither gzip nor zstd/],
    ['a plain tar', rawTar([manifest, ...files]), /not compressed/],
    ['a gzip of text', gzipSync('hello '.repeat(300)), /cut or damaged|does not begin with manifest/],
    ['a gzip of nothing', gzipSync(''), /is no tar/],
    [
      "somebody else's tar",
      rawArchive([{ path: 'README', content: 'x' }]),
      /does not begin with manifest\.json/,
    ],
    [
      'a manifest of another program',
      rawArchive([{ path: 'manifest.json', content: '{"schemaVersion":1}' }]),
      /not one of `superoffload runs export`/,
    ],
    [
      'a manifest that is no JSON',
      rawArchive([{ path: 'manifest.json', content: '{' }]),
      /not one of `superoffload/,
    ],
    [
      'a newer archive',
      rawArchive([manifestEntry([runId], files, { schemaVersion: 2 }), ...files]),
      /schema version 2 is newer than 1/,
    ],
    ['a run that has no record', rawArchive([manifestEntry([runId], [log]), log]), /has no record\.json/],
    [
      'a file of no listed run',
      rawArchive([manifestEntry([], files), ...files]),
      /of a run that is not listed/,
    ],
    [
      'sizes that are none',
      rawArchive([manifestEntry([runId], files, { files: [{ path: log.path, bytes: -1, sha256: 'x' }] })]),
      /its size is no number\n.*no sha256/,
    ],
  ])('is refused: %s', async (_name, bytes, expected) => {
    await refused(bytes, expected);
  });

  it('is refused where a record is none, or of another run, or newer', async () => {
    const withRecord = (content: string): Buffer => {
      const file = { path: recordFile.path, content };
      return rawArchive([manifestEntry([runId], [file]), file]);
    };
    await refused(withRecord('{}'), /has no schemaVersion/);
    await refused(withRecord('not json'), /no JSON object/);
    await refused(
      withRecord(JSON.stringify({ ...record, runId: `${runId.slice(0, -4)}ffff` })),
      /it is the record of/,
    );
    await refused(withRecord(JSON.stringify({ ...record, schemaVersion: 9 })), /newer than/);
  });

  it('says where a file is absent, or a folder, or takes many entries', async () => {
    const { into, archive } = newPlace();
    const request = { archive, into, maxGiB: null, dryRun: false };
    await expect(importRuns(context, request)).rejects.toThrow(/there is no file/);
    await expect(importRuns(context, { ...request, archive: root })).rejects.toThrow(/it is a folder/);
    await expect(readArchiveRecords(context, root)).rejects.toThrow(/it is a folder/);
    const many = Array.from({ length: 2000 }, (_, index) => ({
      path: `${run}/ranks/${index}.log`,
      content: `${index}`,
    }));
    writeFileSync(archive, rawArchive([manifestEntry([runId], [...files, ...many]), ...files, ...many]));
    await importRuns(context, request);
    expect(readdirSync(join(into, runId, 'ranks'))).toHaveLength(2000);
  });
});

describe('what an archive says of modes, and what lies in the way', () => {
  it('setuid and world-writable files become plain ones of this user', async () => {
    const { into, archive } = newPlace();
    const script = { path: `${run}/run.sh`, content: '#!/bin/sh\n' };
    const all = [...files, script];
    writeFileSync(
      archive,
      rawArchive([manifestEntry([runId], all), ...all.map((file) => ({ ...file, mode: 0o6777 }))]),
    );
    await importRuns(context, { archive, into, maxGiB: null, dryRun: false });
    expect(lstatSync(join(into, runId, 'output.log')).mode & 0o7133).toBe(0);
    expect(lstatSync(join(into, runId, 'run.sh')).mode & 0o7022).toBe(0);
  });

  it('a target that is a link is followed once, and a run that is a link is left alone', async () => {
    const { place, into, archive } = newPlace();
    const real = join(place, 'real');
    mkdirSync(real);
    symlinkSync(real, into);
    writeFileSync(archive, rawArchive([manifest, ...files]));
    const request = { archive, into, maxGiB: null, dryRun: false };
    expect((await importRuns(context, request)).into).toBe(real);
    expect(readdirSync(real)).toEqual([runId]);
    const other = newPlace();
    mkdirSync(other.into);
    symlinkSync(join(other.place, 'outside'), join(other.into, runId));
    const before = snapshot(other.place);
    await expect(importRuns(context, { ...request, into: other.into })).rejects.toThrow(/it is no folder/);
    symlinkSync(join(place, 'nowhere'), join(place, 'dangling'));
    await expect(importRuns(context, { ...request, into: join(place, 'dangling') })).rejects.toThrow(
      /leads nowhere/,
    );
    expect(snapshot(other.place)).toEqual(before);
  });
});
