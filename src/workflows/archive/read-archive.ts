import { parseArchivePath } from '../../core/archive/archive-path.ts';
import { runFiles } from '../../core/results/run-files.ts';
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
