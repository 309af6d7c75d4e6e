import { parseArchivePath } from '../../core/archive/archive-path.ts';
import { migrateRecord } from '../../core/results/migrate.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { jsonOrNull, visitArchive, wholeText } from './archive-contents.ts';

/** A record as it lies in an archive: of any version, and not looked at yet. */
export interface ArchivedRecord {
  /** `FILE.tar.gz/runs/ID/record.json`, for messages. */
  readonly place: string;
  /** The JSON; null where it is none. */
  readonly value: unknown;
}

/**
 * Reads the records of an archive without unpacking it. They lie before the logs, which are not read.
 * @throws SuperOffloadError 'usage' where there is no such file, 'config' where it is no archive of runs or damaged.
 */
export async function readArchiveRecords(context: Context, path: string): Promise<ArchivedRecord[]> {
  const records: ArchivedRecord[] = [];
  let left = 0;
  await visitArchive(context, path, {
    begin: async ({ runs }) => {
      left = runs.length;
      return Promise.resolve();
    },
    file: async (file, content) => {
      const parsed = parseArchivePath(file.path);
      if (parsed?.kind !== 'run' || parsed.file !== runFiles.record) return left > 0;
      left -= 1;
      records.push({ place: `${path}/${file.path}`, value: jsonOrNull(await wholeText(content())) });
      return left > 0;
    },
  });
  return records;
}

/**
 * The records of an archive as every reader of stored results takes them.
 * @param source what the user named
 * @throws as {@link readArchiveRecords}; SuperOffloadError 'config' where none of its records can be used.
 */
export async function readArchivedRecords(
  context: Context,
  source: string,
  path: string,
): Promise<RecordSet> {
  const records: FoundRecord[] = [];
  const notes: string[] = [];
  for (const { place, value } of await readArchiveRecords(context, path)) {
    const read = migrateRecord(value);
    if (read.ok) records.push({ record: read.record, source, folder: null });
    else notes.push(`${place}: ${read.problem}`);
  }
  if (records.length > 0) return { records, notes };
  throw new SuperOffloadError({
    code: 'config',
    message: [`${path} holds no record that can be used`, ...notes].join('\n'),
    hint: 'read it with the superoffload that wrote it, or a newer one',
  });
}
