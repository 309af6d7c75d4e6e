import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { writeArchive } from '../../adapters/archive.ts';
import { nameTaken } from '../../adapters/archive-errors.ts';
import { makeFolder, storageError } from '../../adapters/files.ts';
import { compareArchivePaths, manifestPath } from '../../core/archive/archive-path.ts';
import { compressionOfName } from '../../core/archive/compression.ts';
import { archivedRunFile, type ArchivedRun, type ArchiveManifest } from '../../core/archive/manifest.ts';
import type { ArchivedTag } from '../../core/archive/tags.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';
import { sweepLeftovers } from '../leftovers.ts';
import { asTask, type Task } from '../task.ts';
import { toolIdentity } from '../tool-identity.ts';
import { archivedFigures } from './archived-figures.ts';
import { itemOf, type ArchiveItem } from './archive-items.ts';
import { archivedLocks } from './archived-locks.ts';
import { tagsOfRuns } from './archived-tags.ts';
import { runContents } from './run-contents.ts';
import { writtenManifest } from './written-manifest.ts';

export interface ExportRequest {
  /** `.tar.gz` or `.tar.zst`. */
  readonly archive: string;
  /** As `readRecords` takes them; none means all runs of the state folder. */
  readonly sources: readonly string[];
  readonly logs: boolean;
  /** The data of the figures that the runs can draw. */
  readonly figures: boolean;
  /** Replace an archive of that name. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

export interface ExportedRun extends ArchivedRun {
  readonly files: number;
  readonly bytes: number;
  /** Files with a secret that is hidden now. */
  readonly redacted: readonly string[];
  /** What stays behind of its folder. */
  readonly leftOut: readonly string[];
}

export interface ExportReport {
  readonly schemaVersion: 1;
  readonly dryRun: boolean;
  /** Absolute. */
  readonly archive: string;
  /** Of the archive; null for a dry run. */
  readonly archiveBytes: number | null;
  /** Of all files in it, bytes. */
  readonly bytes: number;
  readonly runs: readonly ExportedRun[];
  readonly locks: number;
  /** Of these runs; of a tag that stands for others too those are left out. */
  readonly tags: readonly ArchivedTag[];
  /** Names of the files. */
  readonly figures: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Packs run folders into an archive: records, plans, configs, scripts, environments, events, logs, the locks of their
 * stacks and the data of their figures, without secrets. The same runs give the same bytes.
 * @throws SuperOffloadError 'usage' for another kind of name, an archive that is there already or one that no import
 * would take, 'environment' on a full disk. What was there before is untouched then.
 */
export async function exportRuns(context: Context, request: ExportRequest): Promise<ExportReport> {
  const archive = requireName(context, request);
  const { records, notes } = await readWanted(context, request);
  const [found, rest] = [records.filter(hasFolder), records.filter((record) => !hasFolder(record))];
  const strangers = rest.map(
    ({ record, source }) => `run ${record.runId} of ${source} is a record without its folder: not exported`,
  );
  if (found.length === 0) throw nothingToExport([...notes, ...strangers]);
  const collected = await asTask(
    context,
    { id: 'collect', title: `read ${runsText(found.length)}` },
    (task) => collectRuns(context, found, request, task),
  );
  const locks = await archivedLocks(context, found);
  const figures = request.figures ? await archivedFigures(context, found) : [];
  const runs = collected.runs.map((run) => ({ ...run, lock: locks.ofRun.get(run.runId) ?? null }));
  const items = [...collected.items, ...locks.items, ...figures].sort((a, b) =>
    compareArchivePaths(a.path, b.path),
  );
  const { tags, notes: ofTags } = await tagsOfRuns(
    context,
    runs.map(({ runId }) => runId),
  );
  const report: ExportReport = {
    schemaVersion: 1,
    dryRun: request.dryRun,
    archive,
    archiveBytes: null,
    bytes: items.reduce((sum, { bytes }) => sum + bytes, 0),
    runs,
    locks: locks.items.length,
    tags,
    figures: figures.map(({ path }) => basename(path)),
    notes: [...notes, ...strangers, ...locks.notes, ...ofTags],
  };
  const manifest = writtenManifest(report, items, (await toolIdentity(context)).version);
  if (request.dryRun) return report;
  await sweepLeftovers(context, archive);
  return { ...report, archiveBytes: await pack(context, report, manifest, items, request) };
}

/** What is packed is what lies in the folders: records that had to be rebuilt must lie there too. */
async function readWanted(context: Context, { sources, dryRun }: ExportRequest): Promise<RecordSet> {
  return readRecords(context, sources, { withAb: true, keepRebuilt: !dryRun });
}

type FoundFolder = FoundRecord & { readonly folder: string };

function hasFolder(record: FoundRecord): record is FoundFolder {
  return record.folder !== null;
}

function requireName({ cwd }: Context, { archive, force }: ExportRequest): string {
  const path = resolve(cwd, archive);
  if (compressionOfName(path) === null) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `--archive ${archive}: its name does not say how to compress it`,
      hint: 'name it FILE.tar.gz or FILE.tar.zst',
    });
  }
  if (existsSync(path) && !force) throw nameTaken(archive);
  return path;
}

function nothingToExport(notes: readonly string[]): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: ['no run to export', ...notes].join('\n'),
    hint: 'see: superoffload runs list; runs are made by: superoffload throughput',
  });
}

async function collectRuns(
  context: Context,
  found: readonly FoundFolder[],
  { logs, dryRun }: ExportRequest,
  task: Task,
): Promise<{ readonly runs: Omit<ExportedRun, 'lock'>[]; readonly items: ArchiveItem[] }> {
  const runs: Omit<ExportedRun, 'lock'>[] = [];
  const items: ArchiveItem[] = [];
  for (const [index, { record, folder }] of found.entries()) {
    context.signal.throwIfAborted();
    task.line(`${index + 1} of ${found.length}: ${record.runId}`);
    const { files, leftOut } = await runContents(folder, { logs, signal: context.signal, env: context.env });
    const mtimeS = Math.floor(Date.parse(record.startedUtc) / 1000);
    for (const { file, bytes, sha256, content } of files) {
      items.push({ path: archivedRunFile(record.runId, file), bytes, sha256, content, mtimeS });
    }
    // A record that had to be rebuilt: the export itself writes it into the folder, its dry run does not.
    if (dryRun && !files.some(({ file }) => file === runFiles.record)) {
      const path = archivedRunFile(record.runId, runFiles.record);
      items.push(itemOf(path, `${JSON.stringify(record, null, 2)}\n`, mtimeS));
    }
    runs.push({
      runId: record.runId,
      title: record.title,
      hiddenSecrets: files.reduce((sum, { hidden }) => sum + hidden, 0),
      files: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      redacted: files.filter(({ hidden }) => hidden > 0).map(({ file }) => file),
      leftOut,
    });
  }
  return { runs, items };
}

async function pack(
  context: Context,
  { archive, bytes }: ExportReport,
  manifest: ArchiveManifest,
  items: readonly ArchiveItem[],
  { force: replace }: ExportRequest,
): Promise<number> {
  const newest = Math.max(...items.map(({ mtimeS }) => mtimeS));
  const first = itemOf(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`, newest);
  await makeFolder(resolve(archive, '..')).catch((error: unknown) => {
    throw storageError(error, archive);
  });
  return asTask(context, { id: 'pack', title: `pack ${basename(archive)}` }, (task) =>
    writeArchive(archive, [first, ...items], {
      env: context.env,
      signal: context.signal,
      onBytes: task.bytes(basename(archive), bytes),
      replace,
    }),
  );
}

export function runsText(count: number): string {
  return count === 1 ? '1 run' : `${count} runs`;
}
