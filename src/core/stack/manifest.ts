/**
 * What lies on the disk of an installed stack, written down at the end of its install: the evidence that a later
 * look is compared with. Digests are written as RECORD files write them: `sha256=` and unpadded base64url.
 */

export const manifestSchemaVersion = 1;

/** What `stat` says of a file without reading it. A change that keeps size, time and mode cannot be seen in it. */
export interface Stamp {
  readonly size: number;
  /** Nanoseconds since the epoch, in decimal: they do not fit into a number. */
  readonly mtimeNs: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface FileEntry extends Stamp {
  readonly path: string;
  /** `link=TARGET` for a symbolic link to a folder, which is not followed. */
  readonly digest: string;
}

/** An installed package: one folder `NAME-VERSION.dist-info`, or what setuptools wrote before those. */
export interface PackageEntry extends FileEntry {
  readonly name: string;
  readonly version: string;
  /** `path` is a RECORD, which lists every file of the package with its digest. */
  readonly hasRecord: boolean;
}

/** A folder that modules are imported from. */
export interface ManifestRoot {
  /** `packages`: files belong to installed packages. `tree`: the work tree of an upstream. */
  readonly kind: 'packages' | 'tree';
  /** Absolute. */
  readonly directory: string;
  /** What people call it. */
  readonly label: string;
  /** Of a tree: the commit that its HEAD names. */
  readonly commit: string | null;
  readonly packages: readonly PackageEntry[];
  /**
   * Of a tree: every file. Else what no RECORD vouches for: files that nothing lists, files that a patch changed,
   * and the modules and .pth files that lie in the folder itself. Paths are relative.
   */
  readonly files: readonly FileEntry[];
  /** Those of `files` that a patch of this tool changed or added: their package's RECORD says otherwise. */
  readonly patched: readonly string[];
  /** Of packages: every name in the folder itself, so that a new one is seen at once. */
  readonly names: readonly string[];
}

export interface StackManifest {
  readonly schemaVersion: 1;
  /** The stack's folder, absolute: places in it are told relative to it. */
  readonly directory: string;
  /** Of the lock that was written with it. */
  readonly lockHash: string;
  /** sys.path of the stack's Python: Python runs a `sitecustomize` that lies in any of them. */
  readonly searchPath: readonly string[];
  /** By absolute path: the interpreter, its environment's pyvenv.cfg, the compiled ops, a sitecustomize. */
  readonly files: readonly FileEntry[];
  readonly roots: readonly ManifestRoot[];
}

/** Was it written whole, and by a version that this one can read? */
export function isManifest(value: unknown): value is StackManifest {
  const found = (value ?? {}) as Partial<Record<keyof StackManifest, unknown>>;
  return (
    found.schemaVersion === manifestSchemaVersion &&
    typeof found.lockHash === 'string' &&
    typeof found.directory === 'string' &&
    [found.roots, found.files, found.searchPath].every(Array.isArray)
  );
}

/** Folders whose content decides nothing: git's own, and bytecode, which Python makes anew from its source. */
export const skippedFolders: readonly string[] = ['.git', '__pycache__'];

/** Megatron compiles its fused kernels here, inside of a run: no install puts them there, and ninja keeps them current. */
const builtByRuns = 'megatron/fused_kernels/build/';

/** Does a path of a work tree belong to what the install left? */
export function isOfInstall(path: string): boolean {
  return !path.startsWith(builtByRuns);
}

/** What an `import` takes: source, bytecode without source, a compiled module. */
export function isImportable(path: string): boolean {
  return /\.(py|pyc|so)$/.test(path);
}

/** What Python reads in a folder of packages at its start: .pth files may hold code. */
export function isStartupFile(name: string): boolean {
  return /\.(pth|egg-link)$/.test(name);
}

/**
 * @returns name and version in the name of a package's folder, and the file in it that speaks for the package.
 * @see https://packaging.python.org/en/latest/specifications/recording-installed-packages/
 */
export function packageOf(
  entry: string,
): { readonly name: string; readonly version: string; readonly isWheel: boolean } | undefined {
  const match = /^(.+?)-([^-]+)(?:-py[\d.]+)?\.(dist-info|egg-info)$/.exec(entry);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { name: match[1], version: match[2], isWheel: match[3] === 'dist-info' };
}

export interface RecordLine {
  /** Relative to the folder that holds the package's. */
  readonly path: string;
  readonly digest: string;
}

/** @returns the files that a RECORD vouches for: its own line and those of bytecode have no digest. */
export function parseRecord(text: string): RecordLine[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^(?:"((?:[^"]|"")+)"|([^",]+)),([a-z0-9]+=[\w-]+),\d*$/.exec(line);
    const path = match?.[1]?.replaceAll('""', '"') ?? match?.[2];
    return path === undefined ? [] : [{ path, digest: match?.[3] ?? '' }];
  });
}

/** @returns the manifest with the stamps of now, for files whose content was proven to be the same. */
export function restamp(manifest: StackManifest, stamps: ReadonlyMap<string, Stamp>): StackManifest {
  const renewed = <T extends FileEntry>(entry: T, directory: string): T => ({
    ...entry,
    ...stamps.get(directory === '' ? entry.path : `${directory}/${entry.path}`),
  });
  return {
    ...manifest,
    files: manifest.files.map((entry) => renewed(entry, '')),
    roots: manifest.roots.map((root) => ({
      ...root,
      packages: root.packages.map((entry) => renewed(entry, root.directory)),
      files: root.files.map((entry) => renewed(entry, root.directory)),
    })),
  };
}

/**
 * What a patch changed, and nothing else: what somebody else changed meanwhile is not taken for what was installed.
 * @param now all of the stack as it lies there.
 * @param changed absolute paths that the patch may have written or removed.
 */
export function withPatched(
  before: StackManifest,
  now: StackManifest,
  changed: ReadonlySet<string>,
): StackManifest {
  const roots = before.roots.map((root): ManifestRoot => {
    const after = now.roots.find(({ directory }) => directory === root.directory);
    if (after === undefined) return root;
    const isChanged = (path: string): boolean => changed.has(`${root.directory}/${path}`);
    const isName = (name: string): boolean =>
      [...changed].some((path) => `${path}/`.startsWith(`${root.directory}/${name}/`));
    const files = [
      ...root.files.filter(({ path }) => !isChanged(path)),
      ...after.files.filter(({ path }) => isChanged(path)),
    ];
    return {
      ...{ ...root, patched: after.patched },
      files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
      names: [...root.names.filter((name) => !isName(name)), ...after.names.filter(isName)].sort(),
    };
  });
  return { ...before, lockHash: now.lockHash, roots };
}
