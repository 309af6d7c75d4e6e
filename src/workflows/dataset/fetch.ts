import { chmod, copyFile, lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { requireSpace } from '../../adapters/dataset/disk-space.ts';
import { fetchPointers, readPointer, type PointerTree } from '../../adapters/dataset/lfs-repository.ts';
import type { PublishedFile } from '../../adapters/dataset/manifest.ts';
import { comparePublished } from '../../adapters/dataset/published-file.ts';
import { makeFolder, withFileErrors } from '../../adapters/files.ts';
import { GitError } from '../../adapters/git.ts';
import { tryMutex } from '../../adapters/stack/mutex.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { FetchPlan, FetchReport } from './fetch-plan.ts';
import { asTask, silentTask } from '../task.ts';

/**
 * Fetches what is missing: pointers first, each compared with the manifest, then the content from Git LFS, checked by
 * size and sha256 before it takes its name. An interrupted fetch goes on where it stopped.
 * @throws SuperOffloadError 'environment' with what to do next; the signal's reason when it is interrupted.
 */
export async function fetchDataset(ctx: Context, plan: FetchPlan): Promise<FetchReport> {
  if (plan.wanted.length === 0) return plan.report;
  const { directory } = plan.report;
  const work = join(directory, '.fetch');
  requireSpace(
    directory,
    plan.wanted.reduce((sum, { bytes }) => sum + bytes, spareBytes),
  );
  await withFileErrors(directory, () => makeFolder(directory));
  const mutex = await tryMutex(join(directory, '.fetch.lock'));
  if ('heldBy' in mutex) {
    const message = `${directory}: another superoffload (process ${mutex.heldBy}) is fetching into it`;
    throw new SuperOffloadError({ code: 'environment', message, hint: 'wait for it, or end it' });
  }
  try {
    await fetchInto(ctx, plan, work);
    await rm(work, { recursive: true, force: true });
  } finally {
    // Its configuration has the source as it was given, perhaps with a password.
    await rm(join(work, 'tree'), { recursive: true, force: true });
    await mutex.release();
  }
  const done = new Set(plan.wanted.map(({ file }) => file));
  const files = plan.report.files.map((entry) =>
    done.has(entry.file) ? { ...entry, state: 'fetched' as const } : entry,
  );
  return { ...plan.report, files };
}

/** The repository itself, its pack and what Git LFS keeps beside an object. */
const spareBytes = 64e6;

async function fetchInto(ctx: Context, plan: FetchPlan, work: string): Promise<void> {
  const { source, directory } = plan.report;
  let task = silentTask;
  const lfs = {
    ...{ env: ctx.env, signal: ctx.signal },
    onLine: (line: string) => {
      task.line(line);
    },
    onBytes: (bytes: number, total: number) => {
      task.bytes('received', total)(bytes);
    },
  };
  const title = `fetch the list of files from ${source}`;
  const tree = await asTask(ctx, { id: 'pointers', title }, async (started) => {
    task = started;
    const fetched = await fetchPointers(work, plan.from, lfs).catch((error: unknown) => {
      throw withHint(error, source);
    });
    await requireSamePointers(plan, fetched);
    return fetched;
  });
  if (plan.from.commit !== null && tree.commit !== plan.from.commit) {
    const commits = `${tree.commit.slice(0, 12)}, not ${plan.from.commit.slice(0, 12)}`;
    ctx.emit({ type: 'note', message: `the source is at commit ${commits}; its files are the same` });
  }
  for (const file of plan.wanted) {
    const megabytes = (file.bytes / 1e6).toFixed(1);
    await asTask(ctx, { id: file.file, title: `fetch ${file.file} (${megabytes} MB)` }, async (started) => {
      task = started;
      await fetchFile(ctx, file, tree, directory);
    });
  }
}

function withHint(error: unknown, source: string): unknown {
  if (!(error instanceof GitError)) return error;
  const { message, cause } = error;
  const hint = `try by hand: git ls-remote ${source}\nor name another copy with --source URL|PATH`;
  return new SuperOffloadError({ code: 'environment', message, hint, cause });
}

/** Before the large files: all that the source has otherwise than the manifest says. */
async function requireSamePointers({ wanted, from, report }: FetchPlan, tree: PointerTree): Promise<void> {
  const faults = [];
  for (const { file, bytes, sha256 } of wanted) {
    const place = `${report.source} ${from.folder}/${file}`;
    const found = await lstat(tree.pathOf(file)).catch(() => undefined);
    if (found?.isFile() !== true) {
      faults.push({ place, problem: 'is missing' });
      continue;
    }
    const pointer = await readPointer(tree.pathOf(file));
    const has = pointer?.bytes ?? found.size;
    const expected = `${bytes} bytes, sha256 ${sha256}`;
    if (has !== bytes) faults.push({ place, problem: `has ${has} bytes`, expected });
    else if (pointer !== null && pointer.sha256 !== sha256) {
      faults.push({ place, problem: `has sha256 ${pointer.sha256}`, expected });
    }
  }
  const hint = 'the source has another version of the data than this superoffload knows';
  if (faults.length > 0) throw faultsError('environment', faults, hint);
}

async function fetchFile(
  ctx: Context,
  file: PublishedFile,
  tree: PointerTree,
  directory: string,
): Promise<void> {
  const checkedOut = tree.pathOf(file.file);
  const isPointer = (await readPointer(checkedOut)) !== null;
  const path = isPointer ? await tree.fetchObject(file.file, file.sha256) : checkedOut;
  const { problem } = await comparePublished(path, file, ctx.signal);
  if (problem !== null) {
    // A damaged object would be taken for a whole one by the next call.
    await rm(path, { force: true });
    const message = `${file.file}: what came ${problem}`;
    throw new SuperOffloadError({ code: 'environment', message, hint: 'run the same command again' });
  }
  await withFileErrors(directory, () => place(path, join(directory, file.file)));
}

/** Git LFS may have linked the object to that of a source on this machine, which must stay what it is. */
async function place(path: string, target: string): Promise<void> {
  const isShared = (await lstat(path)).nlink > 1;
  const own = isShared ? `${path}.own` : path;
  if (isShared) await copyFile(path, own);
  await chmod(own, 0o644);
  await rename(own, target);
}
