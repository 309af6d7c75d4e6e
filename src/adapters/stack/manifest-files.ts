import { existsSync, lstatSync, readdirSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RootFacts } from '../../core/stack/drift.ts';
import {
  isImportable,
  isOfInstall,
  isStartupFile,
  packageOf,
  skippedFolders,
} from '../../core/stack/manifest.ts';
import type { ManifestRoot, Stamp } from '../../core/stack/manifest.ts';

/**
 * Looks at a file without reading it. Synchronous, as all of this module: thousands of files of a warm cache take
 * 5 us each this way, and ten times that through promises.
 * @returns undefined where there is none.
 */
export function stampOf(path: string): Stamp | undefined {
  const followed = lookAt(statSync, path);
  // A folder's own time changes with every file in it: of a link to one only the link counts.
  const stat = followed === undefined || followed.isDirectory() ? lookAt(lstatSync, path) : followed;
  if (stat === undefined || stat.isDirectory()) return undefined;
  return { size: Number(stat.size), mtimeNs: String(stat.mtimeNs), mode: Number(stat.mode & 0o777n) };
}

/** A ring of links, or a folder that is not ours to read, is no more than absent. */
function lookAt(look: typeof statSync, path: string): BigIntStats | undefined {
  try {
    return look(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** @returns the relative paths of all files below a folder, sorted; links to folders count as files. */
export function listFiles(directory: string): string[] {
  const found: string[] = [];
  const walk = (below: string): void => {
    for (const entry of readEntries(join(directory, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) found.push(path);
      else if (!skippedFolders.includes(entry.name)) walk(path);
    }
  };
  walk('');
  return found.sort();
}

/** @returns the files of a work tree, but for what runs build in it. */
export function treeFiles(directory: string): string[] {
  return listFiles(directory).filter(isOfInstall);
}

/** What cannot be read is not there: the comparison says that it is missing. */
function readEntries(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Relative path of what speaks for it: its RECORD where it has one. */
  readonly describedBy: string;
  readonly hasRecord: boolean;
}

/** @returns the packages in a folder. */
export function installedPackages(directory: string): InstalledPackage[] {
  return readEntries(directory).flatMap((entry): InstalledPackage[] => {
    const found = packageOf(entry.name);
    if (found === undefined) return [];
    const { name, version, isWheel } = found;
    const record = `${entry.name}/RECORD`;
    if (isWheel && existsSync(join(directory, record))) {
      return [{ name, version, describedBy: record, hasRecord: true }];
    }
    const file = `${entry.name}/${isWheel ? 'METADATA' : 'PKG-INFO'}`;
    return [{ name, version, describedBy: entry.isDirectory() ? file : entry.name, hasRecord: false }];
  });
}

/** @returns names in a folder of packages that can be imported or are run at the start, packages' own folders left out. */
export function moduleNames(directory: string, known: ReadonlySet<string> = new Set()): string[] {
  return readEntries(directory)
    .filter(({ name }) => !known.has(name) && !skippedFolders.includes(name) && packageOf(name) === undefined)
    .filter((entry) =>
      entry.isDirectory()
        ? listFiles(join(directory, entry.name)).some(isImportable)
        : isImportable(entry.name) || isStartupFile(entry.name) || isFolder(join(directory, entry.name)),
    )
    .map(({ name }) => name)
    .sort();
}

/** @returns what a quick look finds in one root of a manifest. */
export function rootFacts(root: ManifestRoot): RootFacts {
  const { directory, kind } = root;
  if (kind === 'packages') {
    const added = moduleNames(directory, new Set(root.names));
    return { commit: null, packages: installedPackages(directory), added };
  }
  const known = new Set(root.files.map(({ path }) => path));
  const added = treeFiles(directory).filter((path) => isImportable(path) && !known.has(path));
  return { commit: headCommit(directory), packages: [], added };
}

/** @returns every `sitecustomize` that Python could find in these folders. */
export function startupModules(searchPath: readonly string[]): string[] {
  const names = ['sitecustomize.py', 'sitecustomize/__init__.py'];
  return searchPath.flatMap((folder) => names.map((name) => join(folder, name)).filter(existsSync));
}

/**
 * The commit of a work tree's HEAD, from git's own files: starting git would cost more than the whole quick look.
 * @returns null where there is no repository, or no commit.
 * @see gitrepository-layout(5)
 */
export function headCommit(directory: string): string | null {
  const dot = join(directory, '.git');
  const link = /^gitdir: (.+)$/m.exec(readText(dot) ?? '')?.[1];
  const git = link === undefined ? dot : resolve(directory, link.trim());
  const head = readText(join(git, 'HEAD'))?.trim() ?? '';
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return /^[0-9a-f]{40,64}$/.test(head) ? head : null;
  const common = resolve(git, readText(join(git, 'commondir'))?.trim() ?? '.');
  const packed = readText(join(common, 'packed-refs')) ?? '';
  const line = packed.split('\n').find((each) => each.endsWith(` ${ref}`));
  return readText(join(common, ref))?.trim() ?? line?.split(' ')[0] ?? null;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return lookAt(statSync, path)?.isDirectory() ?? false;
}
