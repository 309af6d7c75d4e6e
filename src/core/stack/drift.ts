/** How a stack differs from what was installed, in words for a person. Everything here compares; nothing looks. */
import type { FileEntry, ManifestRoot, RecordLine, StackManifest, Stamp } from './manifest.ts';
import type { StackLock } from './lock.ts';
import { normalName } from '../install/requirements.ts';

export interface Drift {
  /** A file, a package, an upstream. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

/** What lies in the folders of a manifest now, without reading any file. */
export interface StackFacts {
  /** By absolute path, of every file that the manifest names and that is there. */
  readonly stamps: ReadonlyMap<string, Stamp>;
  /** In the order of the manifest's roots. */
  readonly roots: readonly RootFacts[];
  /** Absolute paths of the `sitecustomize` modules on sys.path. */
  readonly startup: readonly string[];
}

export interface RootFacts {
  readonly commit: string | null;
  readonly packages: readonly { readonly name: string; readonly version: string }[];
  /** Relative paths of what can be imported, or is run at the start, and that the manifest does not name. */
  readonly added: readonly string[];
}

const missing = 'missing';
const nothing = 'no such file';
const stray = 'a file that no install put there';

/** Every install since the manifest exists has written one: without it a change cannot be seen. */
export const lostManifest: Drift = {
  place: 'manifest.json',
  expected: 'what the install wrote',
  found: 'missing, or damaged',
};

/** @returns what is there or gone: packages, upstream commits, added files; both looks need it. */
export function placeDrifts(
  manifest: StackManifest,
  facts: Pick<StackFacts, 'roots' | 'startup'>,
  lockHash: string,
): Drift[] {
  const known = new Set(manifest.files.map(({ path }) => path));
  const added = facts.startup.filter((path) => !known.has(path));
  return [
    ...(manifest.lockHash === lockHash
      ? []
      : [{ place: 'lock.json', expected: `hash ${manifest.lockHash}`, found: `hash ${lockHash}` }]),
    ...manifest.roots.flatMap((root, index) => {
      const now = facts.roots[index];
      return now === undefined ? [] : rootDrifts(root, now);
    }),
    ...added.map((place) => ({ place, expected: nothing, found: stray })),
  ];
}

function rootDrifts(root: ManifestRoot, now: RootFacts): Drift[] {
  const commitOf = ({ commit }: Pick<RootFacts, 'commit'>): string => `commit ${commit ?? 'none'}`;
  const moved = { place: root.label, expected: commitOf(root), found: commitOf(now) };
  const commit = root.commit === now.commit ? [] : [moved];
  const added = now.added.map((path) => ({ place: placeOf(root, path), expected: nothing, found: stray }));
  return [...commit, ...packageDrifts(root, now), ...added];
}

function packageDrifts(root: ManifestRoot, now: RootFacts): Drift[] {
  const [before, after] = [versionsOf(root.packages), versionsOf(now.packages)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [expected, found] = [before.get(name), after.get(name)];
    if (expected === found) return [];
    return [
      {
        place: `package ${name} in ${root.label}`,
        expected: expected === undefined ? 'not installed' : `version ${expected}`,
        found: found === undefined ? 'not installed' : `version ${found}`,
      },
    ];
  });
}

/** A broken install may leave two versions of one package side by side. */
function versionsOf(packages: RootFacts['packages']): Map<string, string> {
  const versions = new Map<string, string>();
  for (const { name, version } of packages) {
    const other = versions.get(normalName(name));
    versions.set(normalName(name), other === undefined ? version : [other, version].sort().join(' and '));
  }
  return versions;
}

/** The quick look: a file counts as changed when size, time or mode differ. It sees no change that restored them. */
export function stampDrifts(manifest: StackManifest, stamps: StackFacts['stamps']): Drift[] {
  return namedFiles(manifest).flatMap(({ absolute, place, entry, gone }) => {
    const now = stamps.get(absolute);
    if (now === undefined) {
      // A package that was removed or replaced has said so itself.
      return gone ? [] : [{ place, expected: describeStamp(entry), found: missing }];
    }
    const same = now.size === entry.size && now.mtimeNs === entry.mtimeNs && now.mode === entry.mode;
    return same ? [] : [{ place, expected: describeStamp(entry), found: describeStamp(now) }];
  });
}

function describeStamp({ size, mtimeNs, mode }: Stamp): string {
  const written = new Date(Number(BigInt(mtimeNs) / 1_000_000n)).toISOString();
  return `${size} bytes, written ${written}, mode ${mode.toString(8)}`;
}

interface NamedFile {
  readonly absolute: string;
  readonly place: string;
  readonly entry: FileEntry;
  /** Its absence is reported elsewhere. */
  readonly gone: boolean;
}

function namedFiles({ directory, files, roots }: StackManifest): NamedFile[] {
  const below = `${directory}/`;
  const short = (path: string): string => (path.startsWith(below) ? path.slice(below.length) : path);
  return [
    ...files.map((entry) => ({ absolute: entry.path, place: short(entry.path), entry, gone: false })),
    ...roots.flatMap((root) => {
      const named = (entry: FileEntry, gone: boolean): NamedFile => ({
        ...{ absolute: `${root.directory}/${entry.path}`, place: placeOf(root, entry.path), entry, gone },
      });
      return [
        ...root.packages.map((entry) => named(entry, true)),
        ...root.files.map((entry) => named(entry, false)),
      ];
    }),
  ];
}

function placeOf({ label }: ManifestRoot, path: string): string {
  return `${label}/${path}`;
}

/** A file whose content is known: all of its digests must be those of the file. */
export interface ExpectedContent {
  readonly place: string;
  readonly digests: readonly string[];
}

/**
 * What every file should hold: packages by their RECORD, everything else by the manifest, and what was patched by the
 * lock as well.
 * @param records lines of each package's RECORD, with absolute, normalized paths.
 * @param stamps of what is there: a package that is gone has no RECORD to compare.
 */
export function expectedContents(
  manifest: StackManifest,
  records: readonly { readonly root: ManifestRoot; readonly lines: readonly RecordLine[] }[],
  lock: Pick<StackLock, 'upstreams'>,
  stamps: StackFacts['stamps'],
): Map<string, ExpectedContent> {
  const expected = new Map<string, ExpectedContent>();
  const patched = new Set(
    manifest.roots.flatMap((root) => root.patched.map((path) => `${root.directory}/${path}`)),
  );
  for (const { root, lines } of records) {
    for (const { path, digest } of lines) {
      const inside = path.startsWith(`${root.directory}/`);
      const place = inside ? placeOf(root, path.slice(root.directory.length + 1)) : path;
      if (!patched.has(path)) expected.set(path, { place, digests: [digest] });
    }
  }
  const also = (path: string, place: string, digest: string): void => {
    const before = expected.get(path);
    expected.set(path, { place, digests: [...new Set([...(before?.digests ?? []), digest])] });
  };
  for (const { absolute, place, entry, gone } of namedFiles(manifest)) {
    if (!gone || stamps.has(absolute)) also(absolute, place, entry.digest);
  }
  for (const { path, digest } of patchedContents(lock)) also(path, expected.get(path)?.place ?? path, digest);
  return expected;
}

function patchedContents({ upstreams }: Pick<StackLock, 'upstreams'>): RecordLine[] {
  return Object.values(upstreams).flatMap(({ directory, patches }) =>
    patches === null
      ? []
      : [
          ...patches.files.map(({ path, blob }) => ({
            path: `${directory}/${path}`,
            digest: `git-blob=${blob}`,
          })),
          ...patches.overlay.map(({ path, sha256 }) => ({
            path: `${directory}/${path}`,
            digest: `sha256-hex=${sha256}`,
          })),
        ],
  );
}

/** @param found digests of each file by algorithm; a file that is not there is absent. */
export function contentDrifts(
  expected: ReadonlyMap<string, ExpectedContent>,
  found: ReadonlyMap<string, readonly string[]>,
): Drift[] {
  return [...expected].flatMap(([path, { place, digests }]) => {
    const now = found.get(path);
    if (now === undefined) return [{ place, expected: digests[0] ?? '', found: 'missing, or not readable' }];
    const wrong = digests.find((digest) => !now.includes(digest));
    if (wrong === undefined) return [];
    const same = now.find((digest) => algorithmOf(digest) === algorithmOf(wrong));
    return [{ place, expected: wrong, found: same ?? 'not readable' }];
  });
}

/** `sha256` of `sha256=...`. */
export function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf('='));
}

/** @returns packages that are there in another version than the lock says; those of the manifest are the newer word. */
export function lockedPackageDrifts(
  manifest: StackManifest,
  { packages }: Pick<StackLock, 'packages'>,
): Drift[] {
  const here = new Map<string, string>();
  for (const root of manifest.roots) {
    for (const { name, version } of root.packages) {
      // The first on sys.path is the one that is imported.
      if (!here.has(normalName(name))) here.set(normalName(name), version);
    }
  }
  return Object.entries(packages).flatMap(([name, version]) => {
    const found = here.get(normalName(name));
    if (found === undefined || found === version) return [];
    return [{ place: `package ${name}`, expected: `version ${version}`, found: `version ${found}` }];
  });
}

/** One line a difference, the first `limit` of them, then a count. */
export function describeDrifts(drifts: readonly Drift[], limit = 20): string[] {
  const lines = drifts
    .slice(0, limit)
    .map(({ place, expected, found }) => `${place}: ${found} (expected ${expected})`);
  return drifts.length > limit ? [...lines, `... and ${drifts.length - limit} more`] : lines;
}
