import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { SuperOffloadError } from '../../../src/errors.ts';
import { importRuns } from '../../../src/workflows/archive/import-runs.ts';
import { sampleHome, sampleRecord } from '../records/sample-home.ts';
import { manifestEntry } from './tar-bytes.ts';

const { root, context } = sampleHome();
export { root, context };

/** One good run: a hostile archive differs from that of `[manifest, ...files]` by one thing. */
export const record = sampleRecord();
export const { runId } = record;
/** Its folder in an archive. */
export const run = `runs/${runId}`;
export const recordFile = { path: `${run}/record.json`, content: JSON.stringify(record) };
export const log = { path: `${run}/output.log`, content: 'a line\n' };
export const files = [recordFile, log];
export const manifest = manifestEntry([runId], files);

export interface Place {
  readonly place: string;
  readonly into: string;
  readonly archive: string;
}

let count = 0;

/** Everything that an import could touch: the folder of the archive, with what lies beside the target. */
export function newPlace(): Place {
  const place = join(root, `place-${count++}`);
  mkdirSync(join(place, 'outside'), { recursive: true });
  writeFileSync(join(place, 'outside', 'kept'), 'kept');
  return { place, into: join(place, 'into'), archive: join(place, 'a.tar.gz') };
}

/** Names, kinds, modes and contents of all below a folder. */
export function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      const content = stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
      const link = stat.isSymbolicLink() ? readlinkSync(path) : '';
      return [name, stat.mode.toString(8), stat.nlink, content, link].join(' ');
    });
}

/** Letters that a terminal obeys: none of them may come from an archive's names into a message. */
const controls = new RegExp(String.raw`[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]`);

/** An archive is refused with its reason, and nothing anywhere is another than before. */
export async function refused(bytes: Buffer, expected: RegExp): Promise<void> {
  const { place, into, archive } = newPlace();
  mkdirSync(into);
  writeFileSync(archive, bytes);
  const [before, beside] = [snapshot(place), readdirSync(root).sort()];
  for (const dryRun of [true, false]) {
    const error = await importRuns(context, { archive, into, maxGiB: null, dryRun }).catch((e: unknown) => e);
    expect(error, String(error)).toBeInstanceOf(SuperOffloadError);
    const { code, message } = error as SuperOffloadError;
    expect(code).toBe('config');
    expect(message).toMatch(expected);
    expect(message).not.toMatch(controls);
    expect(snapshot(place)).toEqual(before);
    expect(readdirSync(root).sort()).toEqual(beside);
  }
}
