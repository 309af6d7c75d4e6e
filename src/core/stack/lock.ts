/** What an installed stack is: written last by the install, so that its presence means "ready". */
import type { PatchState } from '../patches/state.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import type { WheelFacts } from './wheels.ts';
import type { UpstreamName } from '../upstreams/upstream.ts';

/** 2 added `upstreams` and `apex`; a lock of version 1 has neither. */
export const lockSchemaVersion = 2;

/** How the Python of a stack came to be. */
export type StackOrigin = 'private' | 'adopted' | 'overlay';

export interface StackLock {
  readonly schemaVersion: 2;
  readonly name: string;
  readonly origin: StackOrigin;
  /** `path` runs every process of a run; `base` is the interpreter it stands on. */
  readonly python: { readonly path: string; readonly version: string; readonly base: string };
  /** `cuda` is torch.version.cuda: null for a build without CUDA. */
  readonly torch: { readonly version: string; readonly cuda: string | null };
  readonly deepspeed: { readonly version: string };
  readonly accelerator: 'cuda' | 'cpu';
  readonly ops: OpsFacts;
  /** What was installed from source, or patched where the package index put it. */
  readonly upstreams: Readonly<Partial<Record<UpstreamName, UpstreamLock>>>;
  /** How the names that Megatron imports from Apex are there; null without Megatron. */
  readonly apex: ApexFacts | null;
  /** pip freeze: name to version, of everything that this Python can import. */
  readonly packages: Readonly<Record<string, string>>;
  /** What each package's files are; empty in a lock of version 1. */
  readonly wheels: Readonly<Record<string, WheelFacts>>;
  /** The machine's side at the install; null in a lock of version 1. No part of `hash`. */
  readonly runtime: RuntimeFacts | null;
  /** What `install` was asked for; the same request again has nothing to do. */
  readonly request: StackRequest;
  /** Of the requirements text that was installed; null where nothing was installed into the environment. */
  readonly requirementsSha256: string | null;
  /** True when every downloaded file was checked against a hash of the requirements. */
  readonly hashesChecked: boolean;
  /** Folders that come first on PATH of every process of a run. */
  readonly pathPrefix: readonly string[];
  /** Fixed variables of every process of a run. */
  readonly environment: Readonly<Record<string, string>>;
  /** sha256 over what decides behaviour (versions, op key and flags, environment), not over when or where. */
  readonly hash: string;
  readonly createdUtc: string;
  readonly installMs: number;
}

/** One upstream as it lies in the stack, patches included. */
export interface UpstreamLock {
  /** null for a package of the index. */
  readonly url: string | null;
  /** Branch, tag or commit that was asked for. */
  readonly ref: string | null;
  readonly commit: string | null;
  /** Of a package of the index; null for a repository. */
  readonly version: string | null;
  /** Absolute: what its modules are imported from. */
  readonly directory: string;
  /** Of the local changes that a checkout of the user's brought along; null for a clean one. */
  readonly dirtyDiffSha256: string | null;
  /** sha256 over path and content of every file, patches included. */
  readonly tree: string;
  readonly patches: PatchState | null;
}

export interface ApexFacts {
  readonly kind: 'overlay' | 'build';
  /** Compiled modules that were imported one by one; none for the overlay. */
  readonly extensions: readonly string[];
}

interface OpsFacts {
  /** TORCH_EXTENSIONS_DIR: private to this stack and to `key`. */
  readonly directory: string;
  readonly key: string;
  readonly built: readonly string[];
  /** Compiler flags of each op, from its ninja file. */
  readonly flags: Readonly<Record<string, string>>;
  readonly compiler: string;
  readonly ninja: string;
}

/** `pip`: DeepSpeed from the package index. `fork`: from the paper's branches. A stack's name says which it is. */
export const stackNames = ['pip', 'fork'] as const;

/** `auto` builds Apex where a matching CUDA toolkit is, and takes the overlay elsewhere. */
export const apexChoices = ['auto', 'build', 'overlay'] as const;
export type ApexFlag = (typeof apexChoices)[number];

export interface StackRequest {
  readonly torch: string | null;
  readonly deepspeed: string | null;
  /** Megatron-DeepSpeed, its Python packages, and what stands for Apex. */
  readonly megatron: boolean;
  readonly apex: ApexFlag;
  /** `--source NAME=...` and the artifact's variables, without passwords. */
  readonly sources: Readonly<Partial<Record<UpstreamName, string>>>;
  /** `--ref NAME=...`. */
  readonly refs: Readonly<Partial<Record<UpstreamName, string>>>;
  /** `--python` as given, made absolute; null for the tool's own choice. */
  readonly python: string | null;
  readonly overlay: boolean;
}

/** @returns a lock of an older version as this one reads it; anything else unchanged. */
export function migrateLock(value: unknown): unknown {
  const lock = objectOf(value);
  if (lock['schemaVersion'] !== 1) return value;
  const request = { ...objectOf(lock['request']), megatron: false, apex: 'auto', sources: {}, refs: {} };
  const added = { schemaVersion: 2, upstreams: {}, apex: null, wheels: {}, runtime: null };
  return { ...lock, ...added, request };
}

/**
 * Has a file what every reader of a lock relies on? It is written whole by one program, so one that is damaged was
 * edited or cut, and no more than the shape needs to be looked at.
 */
export function isStackLock(value: unknown): value is StackLock {
  const lock = objectOf(value);
  const texts = [
    ...['name', 'origin', 'accelerator', 'hash'].map((key) => lock[key]),
    ...['path', 'version'].map((key) => objectOf(lock['python'])[key]),
    ...['directory', 'key', 'compiler', 'ninja'].map((key) => objectOf(lock['ops'])[key]),
    objectOf(lock['torch'])['version'],
    objectOf(lock['deepspeed'])['version'],
    ...Object.values(objectOf(lock['environment'])),
  ];
  const objects = [lock['environment'], lock['packages'], lock['request'], lock['upstreams']];
  const prefix: unknown = lock['pathPrefix'];
  return (
    lock['schemaVersion'] === lockSchemaVersion &&
    texts.every((text) => typeof text === 'string') &&
    objects.every((each) => typeof each === 'object' && each !== null) &&
    Array.isArray(prefix) &&
    prefix.every((folder) => typeof folder === 'string')
  );
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What the run's behaviour depends on, in a fixed order: the text that `hash` is taken over. */
export function lockHashText(lock: Omit<StackLock, 'hash'>): string {
  const packages = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  const environment = Object.entries(lock.environment).filter(
    ([name]) => !['TORCH_EXTENSIONS_DIR', 'PYTHONPYCACHEPREFIX', 'MAX_JOBS'].includes(name),
  );
  return JSON.stringify([
    lock.schemaVersion,
    lock.python.version,
    lock.torch,
    lock.deepspeed,
    lock.accelerator,
    lock.ops.key,
    Object.entries(lock.ops.flags).sort(([a], [b]) => (a < b ? -1 : 1)),
    packages,
    Object.entries(lock.upstreams)
      .map(([name, { commit, version, tree }]) => [name, commit, version, tree])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    lock.apex,
    environment.sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
