import { runFiles } from '../results/run-files.ts';
import { parseArchivePath, wholeFiles, type ArchivePath } from './archive-path.ts';
import { maxLockBytes, maxTogetherBytes } from './limits.ts';
import { tagProblems, type ArchivedTag } from './tags.ts';

/** The newest archive that this version reads, and the one it writes. */
export const archiveSchemaVersion = 1;

/** A file of an archive, as it lies there. */
export interface ArchivedFile {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ArchivedRun {
  readonly runId: string;
  /** For people: of its record. */
  readonly title: string;
  /** Hash of the stack's lock, where the archive holds it as `locks/HASH.json`; else null. */
  readonly lock: string | null;
  /** How many places of its files held a secret, which `[redacted]` now stands for. */
  readonly hiddenSecrets: number;
}

/** `manifest.json`: what an archive holds. No clock and no machine: the same runs give the same bytes. */
export interface ArchiveManifest {
  readonly schemaVersion: 1;
  readonly kind: 'superoffload-archive';
  /** The version of the tool that wrote it. */
  readonly tool: string;
  /** Oldest first. */
  readonly runs: readonly ArchivedRun[];
  /** By name; absent where no run has one, and in archives of before they were carried. */
  readonly tags?: readonly ArchivedTag[];
  /** In the order of the archive; the manifest itself is none of them. */
  readonly files: readonly ArchivedFile[];
}

/** An archive's manifest that can be used, or what is wrong with it, each for a person. */
export type ReadManifest =
  | { readonly ok: true; readonly manifest: ArchiveManifest }
  | { readonly ok: false; readonly problems: readonly string[]; readonly isNewer: boolean };

type Fields = Readonly<Record<string, unknown>>;

/** Of a hostile archive not every fault needs to be told. */
const maxProblems = 20;
const maxText = 400;

/** Checks everything that import relies on: schema, paths, sizes, names that differ only by case. */
export function readManifest(value: unknown): ReadManifest {
  const fields = isFields(value) ? value : {};
  const version = fields['schemaVersion'];
  if (fields['kind'] !== 'superoffload-archive' || typeof version !== 'number') {
    return refused(['its manifest.json is not one of `superoffload runs export`']);
  }
  if (version > archiveSchemaVersion) {
    const newer = `its schema version ${version} is newer than ${archiveSchemaVersion}, the newest known here`;
    return { ...refused([newer]), isNewer: true };
  }
  const { runs, files, tool } = fields;
  if (version < 1 || !Array.isArray(runs) || !Array.isArray(files) || typeof tool !== 'string') {
    return refused(['its manifest.json has no runs, no files or no tool']);
  }
  const problems = [
    ...files.flatMap(fileProblems),
    ...runs.flatMap(runProblems),
    ...nameProblems(files as readonly Partial<ArchivedFile>[]),
  ];
  if (problems.length > 0) return refused(problems);
  const manifest = value as ArchiveManifest;
  const disagreements = [...agreementProblems(manifest), ...togetherProblems(manifest)];
  return disagreements.length > 0 ? refused(disagreements) : { ok: true, manifest };
}

function refused(problems: readonly string[]): Extract<ReadManifest, { readonly ok: false }> {
  const more = problems.length - maxProblems;
  const told = problems.slice(0, maxProblems);
  return { ok: false, problems: more > 0 ? [...told, `and ${more} more`] : told, isNewer: false };
}

function fileProblems(value: unknown, index: number): string[] {
  const { path, bytes, sha256 } = isFields(value) ? value : ({} as Fields);
  if (typeof path !== 'string') return [`files[${index}] has no path`];
  const problems: string[] = [];
  const parsed = parseArchivePath(path);
  if (parsed === null) problems.push(`${shown(path)}: no path of an archive of runs`);
  if (parsed?.kind === 'lock' && Number(bytes) > maxLockBytes)
    problems.push(`${shown(path)}: larger than the ${maxLockBytes / 1024 ** 2} MiB that a lock may have`);
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    problems.push(`${shown(path)}: its size is no number`);
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256))
    problems.push(`${shown(path)}: no sha256`);
  return problems;
}

function runProblems(value: unknown, index: number): string[] {
  const { runId, title, lock, hiddenSecrets } = isFields(value) ? value : ({} as Fields);
  const isRun =
    typeof runId === 'string' &&
    typeof title === 'string' &&
    (lock === null || typeof lock === 'string') &&
    typeof hiddenSecrets === 'number';
  if (!isRun) return [`runs[${index}] is no run`];
  return title.length > maxText * 10 ? [`runs[${index}]: its title is too long`] : [];
}

/** Two names that one file system keeps apart and another does not, and a file that is a folder of another. */
function nameProblems(files: readonly Partial<ArchivedFile>[]): string[] {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  for (const { path } of files) {
    if (typeof path !== 'string') continue;
    const before = seen.get(path.toLowerCase());
    if (before !== undefined) {
      problems.push(
        before === path
          ? `${shown(path)} is listed twice`
          : `${shown(path)} and ${shown(before)} differ only by case`,
      );
    }
    seen.set(path.toLowerCase(), path);
  }
  for (const path of seen.keys()) {
    const folders = path
      .split('/')
      .slice(0, -1)
      .map((_, index, all) => all.slice(0, index + 1).join('/'));
    const file = folders.find((folder) => seen.has(folder));
    if (file !== undefined) problems.push(`${shown(path)} lies in ${shown(file)}, which is a file`);
  }
  return problems;
}

/** Files that whoever reads an archive without unpacking it keeps in memory. */
function togetherProblems(manifest: ArchiveManifest): string[] {
  const ofRuns = filesOfKind(manifest, 'run');
  return wholeFiles.flatMap((name) => {
    const all = ofRuns.filter(({ path }) => path.file === name);
    const bytes = all.reduce((sum, { file }) => sum + file.bytes, 0);
    if (bytes <= maxTogetherBytes) return [];
    const most = maxTogetherBytes / 1024 ** 2;
    return [
      `its ${all.length} files ${name} have ${Math.ceil(bytes / 1024 ** 2)} MiB together; ${most} MiB at most can be read`,
    ];
  });
}

/** What the files of an archive take on the disk: each run gets its stack's lock. */
export function unpackedBytes(manifest: ArchiveManifest): number {
  const locks = new Map(filesOfKind(manifest, 'lock').map(({ file, path }) => [path.hash, file.bytes]));
  const files = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  return manifest.runs.reduce((sum, { lock }) => sum + (locks.get(lock ?? '') ?? 0), files);
}

/** Every run has its record, every file its run, every lock that is named its file. */
function agreementProblems({ runs, files, tags }: ArchiveManifest): string[] {
  const paths = new Set(files.map(({ path }) => path));
  const ids = new Set(runs.map(({ runId }) => runId));
  const twice = ids.size === runs.length ? [] : ['a run is listed twice'];
  const lacking = runs.flatMap(({ runId, lock }) => [
    ...(paths.has(archivedRunFile(runId, runFiles.record))
      ? []
      : [`run ${shown(runId)} has no ${runFiles.record}`]),
    ...(lock === null || paths.has(archivedLock(lock))
      ? []
      : [`run ${shown(runId)} names a lock that is not there`]),
  ]);
  const strays = files.filter(({ path }) => {
    const parsed = parseArchivePath(path);
    return parsed?.kind === 'run' && !ids.has(parsed.runId);
  });
  return [
    ...[...twice, ...lacking, ...tagProblems(tags, ids)],
    ...strays.map(({ path }) => `${shown(path)} is of a run that is not listed`),
  ];
}

export function archivedRunFile(runId: string, file: string): string {
  return `runs/${runId}/${file}`;
}

export function archivedLock(hash: string): string {
  return `locks/${hash}.json`;
}

/** @returns the files of one kind with what their paths say. */
export function filesOfKind<K extends ArchivePath['kind']>(
  { files }: ArchiveManifest,
  kind: K,
): { readonly file: ArchivedFile; readonly path: Extract<ArchivePath, { readonly kind: K }> }[] {
  return files.flatMap((file) => {
    const path = parseArchivePath(file.path);
    return path?.kind === kind ? [{ file, path: path as Extract<ArchivePath, { readonly kind: K }> }] : [];
  });
}

/** A path out of an archive, for a message: quoted, so that no control character reaches a terminal. */
export function shown(text: string): string {
  return JSON.stringify(text.length > maxText ? `${text.slice(0, maxText)}...` : text).replaceAll(
    // C1 controls and bidirectional marks, which JSON leaves as they are.
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
