import { readFileSync, statfsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import { migrateRecord } from '../core/results/migrate.ts';
import type { RunRecord } from '../core/results/record.ts';
import { parseJson, storageError } from './files.ts';

/** Records read before anything else may happen: a Ctrl-C waits for so many at most. */
const batchFiles = 128;

/**
 * File systems of networks, by the numbers that statfs(2) gives (Linux, include/uapi/linux/magic.h, and coreutils'
 * stat.c): NFS, SMB and CIFS, FUSE, Ceph, 9P, AFS, Lustre, GPFS, BeeGFS, PanFS.
 */
const networkTypes: ReadonlySet<number> = new Set([
  ...[0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x00c36400, 0x01021997, 0x5346414f],
  ...[0x0bd00bd0, 0x47504653, 0x19830326, 0xaad7aaea],
]);

/** A record that was read, the error that says why it cannot be used, or null where the file is not there. */
export type RecordFile = RunRecord | SuperOffloadError | null;

/**
 * Reads many records: few texts are in memory at a time. From a local disk one after the other, which is three to six
 * times as fast as any parallel way of Node's; over a network several at a time (bench/README.md).
 * @returns one for each path, in their order.
 */
export async function readRecordFiles(
  paths: readonly string[],
  signal: AbortSignal,
  inParallel = isOnNetwork(paths[0]),
): Promise<RecordFile[]> {
  const records: RecordFile[] = [];
  for (let at = 0; at < paths.length; at += batchFiles) {
    signal.throwIfAborted();
    const batch = paths.slice(at, at + batchFiles);
    records.push(...(inParallel ? await Promise.all(batch.map(readOne)) : batch.map(readRecordFile)));
    await new Promise(setImmediate);
  }
  return records;
}

/** Runs of one folder lie on one file system. */
function isOnNetwork(path: string | undefined): boolean {
  if (path === undefined) return false;
  try {
    return networkTypes.has(statfsSync(dirname(path)).type >>> 0);
  } catch {
    return false;
  }
}

/** @returns the JSON of a small file that lies beside a record; undefined where there is none that can be read. */
export function readBeside(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** @returns null where there is no such file; the error that says why where this version cannot use it. */
export function readRecordFile(path: string): RecordFile {
  try {
    return parseRecord(readFileSync(path, 'utf8'), path);
  } catch (error) {
    return unread(error, path);
  }
}

async function readOne(path: string): Promise<RecordFile> {
  try {
    return parseRecord(await readFile(path, 'utf8'), path);
  } catch (error) {
    return unread(error, path);
  }
}

function unread(error: unknown, path: string): SuperOffloadError | null {
  if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
  const known = storageError(error, path);
  if (known instanceof SuperOffloadError) return known;
  throw error;
}

function parseRecord(text: string, path: string): RunRecord | SuperOffloadError {
  return recordOf(parsed(text, path), path);
}

/** @param place the file, and the line or element of it. */
function recordOf(value: unknown, place: string): RunRecord | SuperOffloadError {
  const read = migrateRecord(value);
  if (read.ok) return read.record;
  return new SuperOffloadError({
    code: 'config',
    message: `${place}: ${read.problem}`,
    hint: read.isNewer
      ? 'read it with the superoffload that wrote it, or a newer one'
      : 'remove the run with `superoffload runs rm`, or the damaged file to have its record rebuilt',
  });
}

/** Node's own parser is ten times as fast; ours says where a text is wrong. */
function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseJson(text, path);
  }
}

/** Node cannot hold a longer text, and no set of records comes near it: 5,000 take 25 MB. */
const maxFileBytes = 400e6;

/**
 * Reads a file of one record or of several: a JSON array of them, one a line (NDJSON), or what a command printed with
 * `--json` (an object with `records`).
 * @throws SuperOffloadError 'config' where it is no such file; 'environment' where it cannot be read.
 */
export async function readRecordsFile(path: string): Promise<(RunRecord | SuperOffloadError)[]> {
  const text = await readWhole(path);
  const values = valuesOf(text, path);
  const records = values.map(([place, value]) =>
    value instanceof SuperOffloadError ? value : recordOf(value, place),
  );
  const [first] = records;
  if (first instanceof SuperOffloadError && records.every((record) => record instanceof SuperOffloadError)) {
    throw new SuperOffloadError({
      code: 'config',
      message: first.message,
      hint: 'expected the record of a run, a JSON array of them, one a line, or an object with "records"',
    });
  }
  return records;
}

async function readWhole(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= maxFileBytes) return await readFile(path, 'utf8');
  } catch (error) {
    throw storageError(error, path);
  }
  const message = `${path}: larger than ${maxFileBytes / 1e6} MB`;
  throw new SuperOffloadError({ code: 'config', message, hint: 'name the folder of the runs instead' });
}

/** Every record's value with its place. */
function valuesOf(text: string, path: string): (readonly [place: string, value: unknown])[] {
  const whole = parsedOrNull(text);
  if (whole !== null) {
    const { value } = whole;
    const list = Array.isArray(value) ? value : (value as { readonly records?: unknown } | null)?.records;
    return Array.isArray(list) ? list.map((each, index) => [`${path}[${index}]`, each]) : [[path, value]];
  }
  const lines = text.split('\n').map((line, index) => [index + 1, line.trim()] as const);
  const written = lines.filter(([, line]) => line !== '');
  // A text of one value over many lines: its faults are told as those of one.
  if (parsedOrNull(written[0]?.[1] ?? '') === null) return [[path, parseJson(text, path)]];
  return written.map(([number, line]) => [
    `${path}:${number}`,
    parsedOrNull(line)?.value ?? cutLine(path, number),
  ]);
}

function cutLine(path: string, line: number): SuperOffloadError {
  return new SuperOffloadError({ code: 'config', message: `${path}:${line}: not valid JSON` });
}

function parsedOrNull(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}
