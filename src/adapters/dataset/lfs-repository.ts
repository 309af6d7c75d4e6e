import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  explainLfsFailure,
  lfsInstallHint,
  objectPath,
  parseLfsProgress,
  parsePointer,
  type LfsPointer,
} from '../../core/dataset/lfs.ts';
import { gitFailureKind, isWorthRepeating } from '../../core/upstreams/git-failure.ts';
import { SuperOffloadError } from '../../errors.ts';
import { makeFolder, withFileErrors } from '../files.ts';
import { GitError, openGit, type Git } from '../git.ts';

/** A repository with data files in Git LFS, and the one folder of it that is wanted. */
export interface LfsSource {
  readonly url: string;
  readonly branch: string;
  /** Asked for first; a copy of the repository that lacks it gives the head of the branch. */
  readonly commit: string | null;
  readonly folder: string;
  /** Something of what is wanted is in Git LFS. */
  readonly needsLfs: boolean;
}

export interface LfsContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  /** Bytes of the object that have come, and its size; known only where the server speaks HTTP. */
  readonly onBytes: (bytes: number, total: number) => void;
}

/** The files of a folder at one commit, those in Git LFS as pointers, in a folder of ours. */
export interface PointerTree {
  readonly commit: string;
  /** Where a file of the folder lies. */
  readonly pathOf: (file: string) => string;
  /** Fetches the content behind one pointer. @returns where it lies, not yet checked. */
  readonly fetchObject: (file: string, sha256: string) => Promise<string>;
}

const identity = ['-c', 'user.name=superoffload', '-c', 'user.email=superoffload@localhost'];
/** No filter of the user's configuration touches a byte, and no link of the repository leads out of the folder. */
const plainCheckout = [
  ...['lfs.process=', 'lfs.smudge=', 'lfs.clean=', 'lfs.required=false'].map((pair) => `filter.${pair}`),
  ...['core.autocrlf=false', 'core.eol=lf', 'core.symlinks=false'],
].flatMap((pair) => ['-c', pair]);

/**
 * Fetches the pointers alone: one commit without its history, one folder of it, no content from Git LFS.
 * @param work a folder of ours; what Git LFS received in earlier calls is kept in it, all else is made anew.
 * @throws SuperOffloadError 'environment' when git or git-lfs is missing, or the remote does not answer.
 */
export async function fetchPointers(work: string, source: LfsSource, ctx: LfsContext): Promise<PointerTree> {
  const tree = join(work, 'tree');
  await withFileErrors(work, async () => {
    await rm(tree, { recursive: true, force: true });
    await makeFolder(tree);
  });
  const progress = join(work, 'progress');
  // The client writes to stdout, which keeps a long download from being taken for a server that says nothing.
  const lfs = { GIT_LFS_SKIP_SMUDGE: '1', GIT_LFS_FORCE_PROGRESS: '1', GIT_LFS_PROGRESS: progress };
  const git = await openGit(tree, {
    env: { ...ctx.env, ...lfs },
    signal: ctx.signal,
    onProgress: ctx.onLine,
  });
  if (source.needsLfs) await requireLfs(git);
  await git.run(['init', '--quiet']);
  await git.run(['remote', 'add', '--', 'origin', source.url]);
  await git.run(['config', 'lfs.storage', join(work, 'lfs')]);
  await git.run(['sparse-checkout', 'set', '--no-cone', '--', `/${source.folder}/`, '/.lfsconfig']);
  await repeated(ctx.signal, () => fetchCommit(git, source));
  await git.run([...plainCheckout, 'checkout', '--quiet', '--detach', 'FETCH_HEAD']);
  const commit = (await git.run(['rev-parse', 'HEAD'])).trim();
  return {
    commit,
    pathOf: (file) => join(tree, source.folder, file),
    fetchObject: async (file, sha256) => {
      await rm(progress, { force: true });
      await keepPartial(join(work, 'lfs/incomplete'), sha256);
      const stop = followProgress(progress, ctx);
      await fetchObject(git, source.folder, file)
        .catch((error: unknown) => failed(error, join(work, 'lfs/incomplete')))
        .finally(stop);
      return join(work, 'lfs', objectPath(sha256));
    },
  };
}

async function requireLfs(git: Git): Promise<void> {
  try {
    await git.run(['lfs', 'version']);
  } catch (error) {
    if (!(error instanceof GitError) || !/not a git command/.test(error.message)) throw error;
    const message = 'Git LFS is not installed, and the data files are in it';
    throw new SuperOffloadError({ code: 'environment', message, hint: lfsInstallHint, cause: error });
  }
}

const pausesMs = [2_000, 5_000];

/** A network that fails for a moment gets two more chances. */
async function repeated(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (const pauseMs of [...pausesMs, null]) {
    try {
      await work();
      return;
    } catch (error) {
      const isPassing = error instanceof GitError && isWorthRepeating(gitFailureKind(error.stderr, false));
      if (!isPassing || error.isIdle || pauseMs === null) throw error;
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        signal.throwIfAborted();
      });
    }
  }
}

/** @returns null where the file is none: no pointer is larger than a kilobyte (the specification's limit). */
export async function readPointer(path: string): Promise<LfsPointer | null> {
  return (await stat(path)).size > 1024 ? null : parsePointer(await readFile(path, 'utf8'));
}

async function fetchCommit(git: Git, { branch, commit }: LfsSource): Promise<void> {
  const fetch = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth',
    '1',
    '--filter=blob:none',
    '--end-of-options',
    'origin',
  ];
  if (commit !== null) {
    try {
      await git.run([...fetch, commit]);
      return;
    } catch (error) {
      const isUnknown = /not our ref|unadvertised|remote ref|no such ref/i;
      if (!(error instanceof GitError) || !isUnknown.test(error.stderr)) throw error;
    }
  }
  await git.run([...fetch, `refs/heads/${branch}`]);
}

/**
 * The client reads every blob of the commit it is given to find the pointers; here they are not all at hand. So it
 * is given a commit of our own that has nothing but the folder.
 */
async function fetchObject(git: Git, folder: string, file: string): Promise<void> {
  const only = await git.run([...identity, 'commit-tree', '-m', folder, `HEAD:${folder}`]);
  await git.run(['lfs', 'fetch', `--include=${file}`, '--exclude=', 'origin', only.trim()]);
}

async function failed(error: unknown, incomplete: string): Promise<never> {
  if (!(error instanceof GitError)) throw error;
  // Bytes that do not have the hash would be built on by every later call.
  if (/expected OID/i.test(error.stderr)) await rm(incomplete, { recursive: true, force: true });
  const explained = explainLfsFailure(error.stderr);
  const message = error.isIdle ? error.message : explained.message;
  throw new SuperOffloadError({ code: 'environment', message, hint: explained.hint, cause: error });
}

/**
 * git-lfs goes on from `<oid>.part` (tq/basic_download.go) and gives what it has received that name only when it
 * fails by itself: when it is stopped, a file with a random ending is left.
 */
async function keepPartial(incomplete: string, sha256: string): Promise<void> {
  const names = await readdir(incomplete).catch(() => []);
  const parts = names.filter((name) => name.startsWith(sha256)).map((name) => join(incomplete, name));
  const sized = await Promise.all(parts.map(async (path) => ({ path, bytes: (await stat(path)).size })));
  const [largest, ...others] = sized.toSorted((a, b) => b.bytes - a.bytes);
  if (largest !== undefined) await rename(largest.path, join(incomplete, `${sha256}.part`));
  for (const { path } of others) {
    // One of that name has been replaced by the largest.
    if (!path.endsWith('.part')) await rm(path, { force: true });
  }
}

function followProgress(path: string, { onBytes }: LfsContext): () => void {
  const timer = setInterval(() => {
    readFile(path, 'utf8').then(
      (text) => {
        const found = parseLfsProgress(text);
        if (found !== null) onBytes(found.bytes, found.total);
      },
      () => undefined,
    );
  }, 1_000);
  return () => {
    clearInterval(timer);
  };
}
