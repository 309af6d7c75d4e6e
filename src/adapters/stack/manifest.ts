import { existsSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import type { StackLock } from '../../core/stack/lock.ts';
import {
  isImportable,
  isManifest,
  manifestSchemaVersion,
  parseRecord,
  withPatched,
} from '../../core/stack/manifest.ts';
import type {
  FileEntry,
  ManifestRoot,
  PackageEntry,
  RecordLine,
  StackManifest,
} from '../../core/stack/manifest.ts';
import { SuperOffloadError } from '../../errors.ts';
import { capture } from '../exec.ts';
import { readJson, writeJsonAtomic } from '../files.ts';
import { digestFiles } from './manifest-digest.ts';
import {
  headCommit,
  installedPackages,
  listFiles,
  moduleNames,
  stampOf,
  startupModules,
  treeFiles,
} from './manifest-files.ts';

type Options = { readonly signal?: AbortSignal };

/** @returns the folder of a stack, by its lock: ops lie in `<stack>/ops/<key>`. */
export function stackFolder(lock: Pick<StackLock, 'ops'>): string {
  return dirname(dirname(lock.ops.directory));
}

function manifestPath(lock: Pick<StackLock, 'ops'>): string {
  return join(stackFolder(lock), 'manifest.json');
}

/**
 * Writes down what lies on the disk of a stack: the last act of its install before the lock, and again whenever this
 * tool changed a file of it.
 * @throws SuperOffloadError 'install' when the stack's Python does not run; 'environment' on a full disk.
 */
export async function takeManifest(lock: StackLock, options: Options = {}): Promise<void> {
  await writeManifest(lock, await collectManifest(lock, options));
}

export async function writeManifest(lock: StackLock, manifest: StackManifest): Promise<void> {
  await writeJsonAtomic(manifestPath(lock), manifest);
}

/**
 * Brings a manifest up to date after a patch: of the files that it may have changed, and of no other.
 * @param changed absolute, without links.
 * @throws SuperOffloadError 'install' when the stack's Python does not run.
 */
export async function patchedManifest(
  kept: StackManifest,
  lock: StackLock,
  changed: readonly string[],
  options: Options = {},
): Promise<StackManifest> {
  return withPatched(kept, await collectManifest(lock, options), new Set(changed));
}

/** @returns undefined for a stack of an older version, which has none, or where it was damaged. */
export async function loadManifest(lock: StackLock): Promise<StackManifest | undefined> {
  const value = await readJson(manifestPath(lock)).catch((error: unknown) => {
    if (error instanceof SuperOffloadError && error.code === 'config') return undefined;
    throw error;
  });
  return isManifest(value) ? value : undefined;
}

/** Looks at all of a stack and writes nothing. */
export async function collectManifest(lock: StackLock, { signal }: Options = {}): Promise<StackManifest> {
  const searched = await searchPathOf(lock);
  const searchPath = searched.path;
  const trees = treesOf(lock);
  const sites = packageFolders(searched).filter(
    (folder) => !trees.some(({ directory }) => isWithin(folder, directory)),
  );
  const single = [
    realpathSync(lock.python.path),
    ...[join(dirname(dirname(lock.python.path)), 'pyvenv.cfg')].filter(existsSync),
    ...listFiles(lock.ops.directory)
      .filter((path) => path.endsWith('.so'))
      .map((path) => join(lock.ops.directory, path)),
    ...startupModules(searchPath.filter((folder) => !sites.includes(folder))),
  ];
  return {
    schemaVersion: manifestSchemaVersion,
    ...{ directory: stackFolder(lock), lockHash: lock.hash, searchPath },
    files: await entriesOf('', single, signal),
    roots: [
      ...(await Promise.all(sites.map((site) => siteRoot(site, lock, signal)))),
      ...(await Promise.all(trees.map((tree) => treeRoot(tree, signal)))),
    ],
  };
}

/** Upstreams that lie in a work tree of their own: one from the package index is among the packages. */
function treesOf({ upstreams }: StackLock): { readonly label: string; readonly directory: string }[] {
  return Object.entries(upstreams).flatMap(([label, { commit, directory }]) =>
    commit === null || !existsSync(directory) ? [] : [{ label, directory: realpathSync(directory) }],
  );
}

/** @returns the folders of sys.path that hold packages, first one first. */
export async function sitesOf(lock: Pick<StackLock, 'python' | 'environment'>): Promise<string[]> {
  return packageFolders(await searchPathOf(lock));
}

/** Folders of the standard library have no RECORD, and belong to the interpreter. */
function packageFolders({ path, standard }: Awaited<ReturnType<typeof searchPathOf>>): string[] {
  const own = standard.flatMap((each) => [each, join(each, 'lib-dynload')]);
  const isFolder = (folder: string): boolean =>
    statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const folders = path.filter((folder) => !own.includes(folder) && isFolder(folder));
  return [...new Set(folders.map((folder) => realpathSync(folder)))];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const searchPathProgram =
  'import json, sys, sysconfig; ' +
  'print(json.dumps({"path": [p for p in sys.path if p], ' +
  '"standard": [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]}))';

async function searchPathOf({ python, environment }: Pick<StackLock, 'python' | 'environment'>) {
  const env = { PATH: '/usr/bin:/bin', ...environment, PYTHONDONTWRITEBYTECODE: '1' };
  const command = [python.path, '-c', searchPathProgram];
  // From a folder without modules: `python -c` looks into the current one first.
  const result = await capture(command, { env, cwd: dirname(python.path), timeoutMs: 60_000 });
  if (result.exitCode === 0) {
    const line = result.stdout.trim().split('\n').at(-1) ?? '';
    return JSON.parse(line) as { readonly path: readonly string[]; readonly standard: readonly string[] };
  }
  throw new SuperOffloadError({
    code: 'install',
    message: `${python.path} does not run: ${result.startError ?? result.stderr.trim()}`,
    hint: 'install the stack again, with --reinstall',
  });
}

async function entriesOf(
  directory: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<FileEntry[]> {
  const absolute = (path: string): string => (directory === '' ? path : `${directory}/${path}`);
  // Stamps first: a file that is written meanwhile has then another stamp than the one that is kept.
  const stamped = paths.flatMap((path) => {
    const stamp = stampOf(absolute(path));
    return stamp === undefined ? [] : [{ path, ...stamp }];
  });
  const wanted = new Map(stamped.map(({ path }) => [absolute(path), ['sha256']]));
  const digests = await digestFiles(wanted, { signal });
  return stamped.map((entry) => ({ ...entry, digest: digests.get(absolute(entry.path))?.[0] ?? '' }));
}

async function treeRoot(
  { label, directory }: { readonly label: string; readonly directory: string },
  signal?: AbortSignal,
): Promise<ManifestRoot> {
  return {
    ...{ kind: 'tree', directory, label, commit: headCommit(directory) },
    ...{ packages: [], patched: [], names: [] },
    files: await entriesOf(directory, treeFiles(directory), signal),
  };
}

async function siteRoot(directory: string, lock: StackLock, signal?: AbortSignal): Promise<ManifestRoot> {
  const isOwn = isWithin(directory, realpathSync(stackFolder(lock)));
  const packages = await packageEntries(directory, signal);
  const listed = new Set((await recordLines({ directory, packages })).map(({ path }) => path));
  const names = moduleNames(directory);
  const patched = patchedPaths(lock)
    .filter((path) => isWithin(path, directory) && existsSync(path))
    .map((path) => path.slice(directory.length + 1));
  const unlisted = listFiles(directory).filter(
    (path) => isImportable(path) && !listed.has(`${directory}/${path}`),
  );
  const atTop = names.filter((name) => stampOf(join(directory, name)) !== undefined);
  const watched = [...new Set([...unlisted, ...patched, ...atTop])].sort();
  return {
    ...{ kind: 'packages', directory, label: isOwn ? basename(directory) : directory, commit: null },
    ...{ packages, names, patched },
    files: await entriesOf(directory, watched, signal),
  };
}

async function packageEntries(directory: string, signal?: AbortSignal): Promise<PackageEntry[]> {
  const found = installedPackages(directory);
  const entries = await entriesOf(
    directory,
    found.map(({ describedBy }) => describedBy),
    signal,
  );
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return found.flatMap(({ name, version, describedBy, hasRecord }) => {
    const entry = byPath.get(describedBy);
    return entry === undefined ? [] : [{ ...entry, name, version, hasRecord }];
  });
}

/** @returns what the RECORD files of a folder list, with absolute paths; of a package that is gone nothing. */
export async function recordLines({
  directory,
  packages,
}: Pick<ManifestRoot, 'directory' | 'packages'>): Promise<RecordLine[]> {
  const texts = packages
    .filter(({ hasRecord }) => hasRecord)
    .map(({ path }) => readFile(join(directory, path), 'utf8').catch(() => ''));
  return (await Promise.all(texts)).flatMap((text) =>
    parseRecord(text).map(({ path, digest }) => ({ path: normalize(join(directory, path)), digest })),
  );
}

function patchedPaths({ upstreams }: StackLock): string[] {
  return Object.values(upstreams).flatMap(({ directory, patches }) =>
    [...(patches?.files ?? []), ...(patches?.overlay ?? [])].map(({ path }) =>
      join(existsSync(directory) ? realpathSync(directory) : directory, path),
    ),
  );
}
