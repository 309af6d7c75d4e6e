import { resolve } from 'node:path';
import { archiveKind } from '../../adapters/archive-kind.ts';
import { parseArchivePath } from '../../core/archive/archive-path.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import type { Context } from '../context.ts';
import { jsonOrNull, visitArchive, wholeText } from './archive-contents.ts';

/** Files of a run by their names. */
export type RunTexts = ReadonlyMap<string, string>;

/**
 * Small files of the runs that were read from archives, which have no folder. Each archive is read once more, and no
 * further than the last of these files: they lie before the logs.
 * @param names of files that lie before the logs (core/archive/archive-path.ts), and whose sum the manifest bounds
 * @returns what there is of them, by the run's id
 * @throws SuperOffloadError 'config' where an archive was changed meanwhile.
 */
export async function readArchivedTexts(
  context: Context,
  records: readonly FoundRecord[],
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, RunTexts>> {
  const sources = new Set(records.flatMap(({ folder, source }) => (folder === null ? [source] : [])));
  const wanted = new Set(records.map(({ record }) => record.runId));
  const texts = new Map<string, Map<string, string>>();
  for (const source of sources) {
    const path = resolve(context.cwd, source);
    if ((await archiveKind(path)) !== null) await readOne(context, path, { names, wanted }, texts);
  }
  return texts;
}

/**
 * {@link readArchivedTexts} of one file that is JSON.
 * @returns what nobody has looked at yet, by the run's id; null where it is no JSON
 */
export async function readArchivedJson(
  context: Context,
  records: readonly FoundRecord[],
  file: string,
): Promise<ReadonlyMap<string, unknown>> {
  const texts = await readArchivedTexts(context, records, new Set([file]));
  return new Map([...texts].map(([runId, own]) => [runId, jsonOrNull(own.get(file) ?? '')]));
}

async function readOne(
  context: Context,
  path: string,
  { names, wanted }: { readonly names: ReadonlySet<string>; readonly wanted: ReadonlySet<string> },
  texts: Map<string, Map<string, string>>,
): Promise<void> {
  const placeOf = (file: string): { readonly runId: string; readonly file: string } | null => {
    const parsed = parseArchivePath(file);
    return parsed?.kind === 'run' && names.has(parsed.file) && wanted.has(parsed.runId) ? parsed : null;
  };
  let left = 0;
  await visitArchive(context, path, {
    begin: async ({ files }) => {
      left = files.filter((file) => placeOf(file.path) !== null).length;
      return Promise.resolve();
    },
    file: async ({ path: name }, content) => {
      const place = placeOf(name);
      if (place === null) return left > 0;
      left -= 1;
      const ofRun = texts.get(place.runId) ?? new Map<string, string>();
      texts.set(place.runId, ofRun.set(place.file, await wholeText(content())));
      return left > 0;
    },
  });
}
