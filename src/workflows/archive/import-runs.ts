import { lstat, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { storageError, withFileErrors } from '../../adapters/files.ts';
import { temporaryBeside } from '../../adapters/leftovers.ts';
import { runsFolder } from '../../adapters/run-store.ts';
import type { ArchiveManifest } from '../../core/archive/manifest.ts';
import type { ArchivedTag } from '../../core/archive/tags.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { sweepLeftovers } from '../leftovers.ts';
import { asTask } from '../task.ts';
import { visitArchive } from './archive-contents.ts';
import { takeTags, type ImportedTag } from './archived-tags.ts';
import { compareWithTarget } from './known-runs.ts';
import { requireRoom } from './room.ts';
import { unpacker } from './unpack.ts';

export interface ImportRequest {
  readonly archive: string;
  /** Folder that gets the run folders; null for that of the state folder. */
  readonly into: string | null;
  /** What the archive may unpack to; null for what an archive of its size can mean. */
  readonly maxGiB: number | null;
  /** Check everything, write nothing. */
  readonly dryRun: boolean;
}

export interface ImportReport {
  readonly schemaVersion: 1;
  readonly dryRun: boolean;
  /** Absolute. */
  readonly archive: string;
  /** The folder of the run folders, absolute and without links. */
  readonly into: string;
  /** The version of the tool that wrote the archive. */
  readonly tool: string;
  readonly imported: readonly { readonly runId: string; readonly title: string }[];
  /** Ids of those that were there already, with the same content. */
  readonly skipped: readonly string[];
  /** What became of its tags; null with `--into`, where there are no tags: they belong to a state folder. */
  readonly tags: readonly ImportedTag[] | null;
  /** Places of secrets that were hidden when the runs were exported. */
  readonly hiddenSecrets: number;
}

/**
 * Unpacks the runs of an archive. Everything is written below a new folder within the target, as plain files under
 * names that are known, and moved into place once all of it has proved to be what the manifest says: nothing outside
 * the target is ever written, and no run of it is replaced.
 * @throws SuperOffloadError 'config' for what is no archive of runs, damaged, hostile or newer; 'usage' where runs are
 * there already with other content (all of them are named, before anything is written).
 */
export async function importRuns(context: Context, request: ImportRequest): Promise<ImportReport> {
  const archive = resolve(context.cwd, request.archive);
  const into = await targetFolder(context, request.into);
  const staging = temporaryBeside(join(into, 'import'));
  if (!request.dryRun) await sweepLeftovers(context, join(into, 'import'));
  const state: { report: Omit<ImportReport, 'tags'> | null; tags: readonly ArchivedTag[] } = {
    ...{ report: null, tags: [] },
  };
  try {
    await asTask(context, { id: 'import', title: `read ${request.archive}` }, async (task) => {
      const archiveBytes = (await stat(archive).catch(() => null))?.size ?? 0;
      const unpack = unpacker(staging, request.dryRun);
      await visitArchive(context, archive, {
        onBytes: task.bytes(request.archive, archiveBytes),
        begin: async (manifest) => {
          await requireRoom(manifest, { archive, archiveBytes, into, maxGiB: request.maxGiB });
          const { fresh, skipped } = await compareWithTarget(context, manifest, into);
          state.tags = manifest.tags ?? [];
          state.report = reportOf(manifest, { archive, into, dryRun: request.dryRun, skipped });
          await unpack.begin(manifest, new Set(fresh));
        },
        file: unpack.file,
      });
      await unpack.end();
    });
    if (state.report === null) throw new Error('an archive without a manifest was read');
    if (!request.dryRun) await moveRuns(context, state.report, staging);
    return { ...state.report, tags: await tagsTaken(context, request, state.report, state.tags) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function tagsTaken(
  context: Context,
  { into, dryRun }: ImportRequest,
  { imported }: Pick<ImportReport, 'imported'>,
  tags: readonly ArchivedTag[],
): Promise<ImportReport['tags']> {
  if (into !== null) return null;
  const runIds = imported.map(({ runId }) => runId);
  return takeTags(context, tags, runIds, { dryRun });
}

function reportOf(
  { tool, runs }: ArchiveManifest,
  { skipped, ...rest }: Pick<ImportReport, 'archive' | 'into' | 'dryRun' | 'skipped'>,
): Omit<ImportReport, 'tags'> {
  const there = new Set(skipped);
  const imported = runs.filter(({ runId }) => !there.has(runId));
  return {
    schemaVersion: 1,
    ...rest,
    tool,
    imported: imported.map(({ runId, title }) => ({ runId, title })),
    skipped,
    hiddenSecrets: imported.reduce((sum, { hiddenSecrets }) => sum + hiddenSecrets, 0),
  };
}

/** Where the target is, through links of the user's: of what follows nobody else's may be in the way. */
async function targetFolder({ cwd, home }: Context, into: string | null): Promise<string> {
  const wanted = into === null ? runsFolder(home) : resolve(cwd, into);
  const found = await stat(wanted).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw storageError(error, wanted);
  });
  if (found?.isDirectory() === false) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `${wanted} is no folder`,
      hint: 'give another --into',
    });
  }
  if (found !== null) return realpath(wanted);
  if (await isLink(wanted)) {
    const message = `${wanted} is a link that leads nowhere`;
    throw new SuperOffloadError({ code: 'usage', message, hint: 'mend it, or give another --into' });
  }
  return wanted;
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isSymbolicLink() ?? false;
}

/** A run each: whoever looks meanwhile sees all of it or nothing. */
async function moveRuns(
  context: Context,
  { into, imported }: Pick<ImportReport, 'into' | 'imported'>,
  staging: string,
): Promise<void> {
  if (imported.length === 0) return;
  context.signal.throwIfAborted();
  await withFileErrors(into, async () => {
    // Nothing but an empty folder could be replaced: rename(2) refuses all else.
    for (const { runId } of imported) {
      await rename(join(staging, runId), join(into, runId)).catch((error: unknown) => {
        throw cameMeanwhile(error, runId);
      });
    }
  });
}

/** Two imports at once: each run is whole, whoever brought it. */
function cameMeanwhile(error: unknown, runId: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) return error;
  return new SuperOffloadError({
    code: 'usage',
    message: `run ${runId} came there while the archive was read`,
    hint: 'give the same command again: it skips what is there with the same content',
    cause: error,
  });
}
