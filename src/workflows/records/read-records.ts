import { basename, dirname, join } from 'node:path';
import { archiveKind } from '../../adapters/archive-kind.ts';
import { readRecordFiles, readRecordsFile } from '../../adapters/record-files.ts';
import { listRunIds, runsFolder } from '../../adapters/run-store.ts';
import { isAbLaunch } from '../../core/results/ab-launch.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { caseIdOfRun, isRunId, runFiles } from '../../core/results/run-files.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveSource, sourceHint, type Resolved } from './resolve-source.ts';

export interface ReadOptions {
  /**
   * False for a case that is not wanted whatever its record says: its file is not opened. It is given the case id in
   * the name of the run's folder, which for old runs ends with another hash than the case has today, and the run's id.
   */
  readonly mayPass?: (caseId: string, runId: string) => boolean;
  /** Launches of `gate --ab` are read too where nobody named them: to carry them, not to count them. */
  readonly withAb?: boolean;
  /** Write the records of runs whose tool was killed, which are rebuilt. Without it nothing is written: not by a dry run,
   * and not by who only reads. */
  readonly keepRebuilt?: boolean;
}

/**
 * Reads stored results from what `--from` and its like name: `runs` (all of the state folder), a run's id, the beginning
 * or the end of it, `last`, a tag, a campaign, a folder (of a run, of runs, a state folder), a file of one record or of
 * several (JSON, NDJSON), an archive of runs. Each run once, oldest first; older records as this version writes them.
 * What cannot be used is a note, and so is how many launches of `gate --ab` are among runs that were not named one by one
 * or by a tag: they are left out.
 * @param sources none means `runs`
 * @throws SuperOffloadError 'usage' with every source that is nothing of the kind; 'config' for a file without a record
 * that can be used.
 */
export async function readRecords(
  context: Context,
  sources: readonly string[],
  options: ReadOptions = {},
): Promise<RecordSet> {
  const runIds = await listRunIds(context.home);
  const wanted = sources.length === 0 ? ['runs'] : [...new Set(sources)];
  const notes: string[] = [];
  const resolved: (readonly [source: string, Resolved])[] = [];
  const faults: Fault[] = [];
  for (const source of wanted) {
    const place = await resolveSource(context, source, runIds);
    if ('problem' in place) faults.push(place);
    else resolved.push([source, place]);
  }
  if (faults.length > 0) throw faultsError('usage', faults, sourceHint);
  const records = new Map<string, FoundRecord>();
  for (const [source, { place, notes: more }] of resolved) {
    notes.push(...more);
    const read = await readPlace(context, source, place, options);
    const found = options.withAb === true || isNamed(source, place, read) ? read : withoutAb(source, read);
    notes.push(...found.notes);
    // A run that is named twice counts once, by the first; with its folder where one of them has that.
    for (const each of found.records) {
      const { runId } = each.record;
      if ((records.get(runId)?.folder ?? null) === null) records.set(runId, each);
    }
  }
  return { records: [...records.values()].sort(byTime), notes: [...new Set(notes)] };
}

/** What stands for runs that somebody chose: a run, a tag, a campaign. */
function isNamed(source: string, { kind }: Resolved['place'], { records }: RecordSet): boolean {
  return kind === 'runs' ? source !== 'runs' : records.length === 1;
}

/** Sides of a comparison are no launches of the plain case: counted with it they would make it slow, or fast. */
function withoutAb(source: string, { records, notes }: RecordSet): RecordSet {
  const kept = records.filter(({ record }) => !isAbLaunch(record));
  const left = records.length - kept.length;
  if (left === 0) return { records, notes };
  const what = left === 1 ? '1 launch' : `${left} launches`;
  const note = `${source}: ${what} of gate --ab left out (to read them, name them by id or tag)`;
  return { records: kept, notes: [...notes, note] };
}

/** Ids begin with the time; within one second the record knows better. */
function byTime({ record: a }: FoundRecord, { record: b }: FoundRecord): number {
  return compareText(a.startedUtc, b.startedUtc) || compareText(a.runId, b.runId);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function readPlace(
  context: Context,
  source: string,
  place: Resolved['place'],
  options: ReadOptions,
): Promise<RecordSet> {
  if (place.kind === 'file') return readFilePlace(context, source, place.path);
  const folders =
    place.kind === 'folders'
      ? place.folders
      : place.runIds.map((runId) => join(runsFolder(context.home), runId));
  const { mayPass } = options;
  const wanted =
    mayPass === undefined || (place.kind === 'runs' && place.named)
      ? folders
      : folders.filter(
          (folder) => !isRunId(basename(folder)) || mayPass(caseIdOfRun(basename(folder)), basename(folder)),
        );
  return readFolders(context, source, wanted, options);
}

/** @throws SuperOffloadError 'config' where it holds no record that can be used. */
async function readFilePlace(context: Context, source: string, path: string): Promise<RecordSet> {
  if ((await archiveKind(path)) !== null) {
    // Nothing that reads archives is loaded where there is none.
    const { readArchivedRecords } = await import('../archive/read-archive.ts');
    return readArchivedRecords(context, source, path);
  }
  // `DIR/record.json` of a run is that run, with all that lies beside it.
  const folder = basename(path) === runFiles.record ? dirname(path) : null;
  const read = await readRecordsFile(path);
  return {
    records: read.flatMap((record) =>
      record instanceof SuperOffloadError ? [] : [{ record, source, folder }],
    ),
    notes: read.flatMap((record) => (record instanceof SuperOffloadError ? [record.message] : [])),
  };
}

async function readFolders(
  context: Context,
  source: string,
  folders: readonly string[],
  { keepRebuilt: keep = false }: ReadOptions,
): Promise<RecordSet> {
  const paths = folders.map((folder) => join(folder, runFiles.record));
  const read = await readRecordFiles(paths, context.signal);
  const records: FoundRecord[] = [];
  const notes: string[] = [];
  for (const [index, folder] of folders.entries()) {
    const record = read[index] ?? (await unrecorded(context, folder, keep));
    if (typeof record === 'string') notes.push(record);
    else if (record instanceof SuperOffloadError) notes.push(record.message);
    else records.push({ record, source, folder });
  }
  return { records, notes };
}

/** The record of a run of the state folder whose tool was killed is rebuilt, as for `runs show`; else a note says why not. */
async function unrecorded(
  context: Context,
  folder: string,
  keep: boolean,
): Promise<RunRecord | SuperOffloadError | string> {
  const runId = basename(folder);
  if (dirname(folder) !== runsFolder(context.home) || !isRunId(runId)) return `${folder} has no record`;
  const { loadRun } = await import('../runs/runs.ts');
  try {
    return (await loadRun(context, runId, { keep })).record ?? `run ${runId} has no record yet`;
  } catch (error) {
    if (!(error instanceof SuperOffloadError)) throw error;
    return error.code === 'usage' ? `run ${runId} is not there any more` : error;
  }
}
