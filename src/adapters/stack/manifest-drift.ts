import {
  contentDrifts,
  expectedContents,
  lockedPackageDrifts,
  lostManifest,
  placeDrifts,
  stampDrifts,
} from '../../core/stack/drift.ts';
import type { Drift, StackFacts } from '../../core/stack/drift.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { isImportable, restamp } from '../../core/stack/manifest.ts';
import type { ManifestRoot, RecordLine, StackManifest, Stamp } from '../../core/stack/manifest.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import { treeHash } from '../upstreams/tree-hash.ts';
import { collectManifest, loadManifest, recordLines } from './manifest.ts';
import { algorithmsOf, digestFiles } from './manifest-digest.ts';
import type { DigestProgress } from './manifest-digest.ts';
import { listFiles, rootFacts, stampOf, startupModules } from './manifest-files.ts';

/**
 * The look before every run: names, and size, time and mode of some thousand files, none of which is read. It finds
 * whatever an editor, git, pip or a copy does; it does not find a change that restores size and time, nor one inside
 * an installed package that leaves its RECORD alone. {@link fullDrift} finds those.
 * @returns what differs; null for a stack without a manifest (installed by an older version), which cannot be checked.
 */
export async function quickDrift(lock: StackLock): Promise<Drift[] | null> {
  const manifest = await loadManifest(lock);
  if (manifest !== undefined) return quickDriftOf(manifest, lock);
  return isOfOlderVersion(lock) ? null : [lostManifest];
}

/** Locks and manifests of one version came together: a lock that was migrated has no facts of the machine. */
function isOfOlderVersion({ runtime }: StackLock): boolean {
  return runtime === null;
}

/** As {@link quickDrift}, for a manifest at hand. */
export function quickDriftOf(manifest: StackManifest, lock: Pick<StackLock, 'hash'>): Drift[] {
  const facts = lookAt(manifest);
  return [...placeDrifts(manifest, facts, lock.hash), ...stampDrifts(manifest, facts.stamps)];
}

function lookAt(manifest: StackManifest): StackFacts {
  const stamps = new Map<string, Stamp>();
  const look = (path: string): void => {
    const stamp = stampOf(path);
    if (stamp !== undefined) stamps.set(path, stamp);
  };
  for (const { path } of manifest.files) look(path);
  for (const root of manifest.roots) {
    for (const { path } of [...root.packages, ...root.files]) look(`${root.directory}/${path}`);
  }
  const sites = new Set(manifest.roots.map(({ directory }) => directory));
  const startup = startupModules(manifest.searchPath.filter((folder) => !sites.has(folder)));
  return { stamps, roots: manifest.roots.map(rootFacts), startup };
}

export interface FullOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: DigestProgress, all: number) => void;
}

export interface FullReport {
  readonly drifts: readonly Drift[];
  /** False for a stack of an older version: only its packages could be compared, with their own RECORD files. */
  readonly hasManifest: boolean;
  /** Files with another size, time or mode than at the install, and the same content. */
  readonly touched: readonly string[];
  /** The manifest with the stamps of now: to be written when nothing differs. */
  readonly renewed: StackManifest;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Reads every file of the stack: installed packages against their RECORD files, upstream trees, ops and the rest
 * against the manifest, patched files against the lock too. The standard library of the interpreter and bytecode in
 * `__pycache__` are not read.
 * @throws the signal's reason when it is aborted.
 */
export async function fullDrift(lock: StackLock, options: FullOptions = {}): Promise<FullReport> {
  const kept = await loadManifest(lock);
  const manifest = kept ?? (await collectManifest(lock, options));
  // Before any file is read: one that is changed meanwhile is then either read or has another stamp next time.
  const facts = lookAt(manifest);
  const records = await Promise.all(
    manifest.roots.map(async (root) => ({ root, lines: await recordLines(root) })),
  );
  const expected = expectedContents(manifest, records, lock, facts.stamps);
  const done = { files: 0, bytes: 0 };
  const found = await digestFiles(
    new Map([...expected].map(([path, { digests }]) => [path, algorithmsOf(digests)])),
    {
      signal: options.signal,
      onProgress: (progress) => {
        Object.assign(done, progress);
        options.onProgress?.(progress, expected.size);
      },
    },
  );
  const contents = contentDrifts(expected, found);
  const changed = new Set(contents.map(({ place }) => place));
  const drifts = [
    ...placeDrifts(manifest, withStrays(manifest, facts, records), lock.hash),
    ...contents,
    ...(kept === undefined ? await lockDrifts(lock, manifest, changed) : []),
    ...(kept === undefined && !isOfOlderVersion(lock) ? [lostManifest] : []),
  ];
  const touched = stampDrifts(manifest, facts.stamps)
    .map(({ place }) => place)
    .filter((place) => !changed.has(place));
  const renewed = restamp(manifest, facts.stamps);
  return { drifts, hasManifest: kept !== undefined, touched, renewed, ...done };
}

/** What the lock alone can tell of a stack without a manifest: versions of packages, and each work tree as a whole. */
async function lockDrifts(
  lock: StackLock,
  manifest: StackManifest,
  named: ReadonlySet<string>,
): Promise<Drift[]> {
  const trees = manifest.roots
    .filter(
      ({ kind, label }) => kind === 'tree' && ![...named].some((place) => place.startsWith(`${label}/`)),
    )
    .map(async ({ label, directory }) => {
      const expected = lock.upstreams[label as UpstreamName]?.tree;
      const found = await treeHash(directory);
      if (expected === undefined || found === expected) return [];
      return [{ place: label, expected: `tree ${expected}`, found: `tree ${found}` }];
    });
  return [...lockedPackageDrifts(manifest, lock), ...(await Promise.all(trees)).flat()];
}

/** Folders of packages are searched to the bottom, not only at the top as in the quick look. */
function withStrays(
  manifest: StackManifest,
  facts: StackFacts,
  records: readonly { readonly root: ManifestRoot; readonly lines: readonly RecordLine[] }[],
): StackFacts {
  const known = new Set(records.flatMap(({ lines }) => lines.map(({ path }) => path)));
  const roots = manifest.roots.map((root, index) => {
    const { commit, packages, added } = facts.roots[index] ?? { commit: null, packages: [], added: [] };
    if (root.kind === 'tree') return { commit, packages, added };
    const watched = new Set(root.files.map(({ path }) => path));
    const isKnown = (path: string): boolean => watched.has(path) || known.has(`${root.directory}/${path}`);
    const strays = listFiles(root.directory).filter((path) => isImportable(path) && !isKnown(path));
    // A new folder is named by the modules in it.
    const atTop = added.filter(
      (name) => !isKnown(name) && !strays.some((path) => path.startsWith(`${name}/`)),
    );
    return { commit, packages, added: [...new Set([...strays, ...atTop])].sort() };
  });
  return { ...facts, roots };
}
