/** Which paths an archive of runs may hold. Export writes no other, and import takes no other. */
import { isRunId, runFiles } from '../results/run-files.ts';

/** The first entry of every archive: what the others are. */
export const manifestPath = 'manifest.json';

/** What a path of an archive stands for. */
export type ArchivePath =
  | { readonly kind: 'run'; readonly runId: string; readonly file: string }
  /** The lock of a stack, once for all runs that used it. */
  | { readonly kind: 'lock'; readonly hash: string }
  | { readonly kind: 'figure' };

/** No sign of a path, no control character, nothing that a shell or another file system reads in its own way. */
const segment = /^[A-Za-z0-9_][A-Za-z0-9._=+,@-]{0,127}$/;
/** A folder, a run's id, and what torchrun makes for each attempt of each rank. */
const maxDepth = 8;
/** Files are made below a folder of the user's: together they must stay below what a file system takes. */
const maxLength = 512;

/** @returns null for a path that no archive of ours has: absolute, with `..`, a backslash, or of another name. */
export function parseArchivePath(path: string): ArchivePath | null {
  const segments = path.split('/');
  if (path.length > maxLength || segments.length > maxDepth) return null;
  const [top, name = '', ...rest] = segments;
  if (top === 'runs') {
    const file = rest.join('/');
    return isRunId(name) && name.length <= 200 && isArchivedFile(file)
      ? { kind: 'run', runId: name, file }
      : null;
  }
  if (rest.length > 0) return null;
  const hash = /^([0-9a-f]{8,64})\.json$/.exec(name)?.[1];
  if (top === 'locks') return hash === undefined ? null : { kind: 'lock', hash };
  if (top === 'figures') return segment.test(name) && name.endsWith('.json') ? { kind: 'figure' } : null;
  return null;
}

/** What every run folder may have at its top; requests to stop it are of the moment and no part of what it was. */
const topFiles: ReadonlySet<string> = new Set([
  runFiles.record,
  runFiles.plan,
  runFiles.deepspeedConfig,
  runFiles.env,
  runFiles.events,
  runFiles.log,
  runFiles.timeline,
  runFiles.script,
  runFiles.nodeScript,
  runFiles.opsScript,
  runFiles.hostsScript,
  runFiles.hosts,
  runFiles.jobScript,
  runFiles.jobEvents,
]);

const subfolders: readonly RegExp[] = [
  new RegExp(`^${runFiles.nodes}/[0-9]+\\.ndjson$`),
  new RegExp(`^${runFiles.array}/${runFiles.arrayScript.replaceAll('.', '\\.')}$`),
  // torchrun's: ranks/none_x/attempt_0/1/stderr.log
  new RegExp(`^${runFiles.ranks}/.*\\.log$`),
];

/**
 * Whether a file of a run folder goes into an archive. Not checkpoints or caches that a run left in its folder.
 * @param file relative to the run folder
 */
export function isArchivedFile(file: string): boolean {
  if (topFiles.has(file)) return true;
  return (
    file.split('/').every((each) => segment.test(each)) && subfolders.some((pattern) => pattern.test(file))
  );
}

/** Whether a file of a run is what its ranks printed: `--no-logs` leaves it out. */
export function isLog(file: string): boolean {
  return file === runFiles.log || file.startsWith(`${runFiles.ranks}/`);
}

/**
 * The order of an archive: the manifest, then all records, locks, figures, and what is read as a whole of each run, so
 * that whoever wants no more can stop reading before the logs.
 */
export function compareArchivePaths(a: string, b: string): number {
  return rankOf(a) - rankOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

const runRanks: Readonly<Record<string, number>> = {
  [runFiles.record]: 1,
  [runFiles.timeline]: 4,
  [runFiles.deepspeedConfig]: 4,
  [runFiles.plan]: 4,
};

/** Files of runs that readers of archives keep in memory, of all runs together. */
export const wholeFiles: readonly string[] = Object.keys(runRanks);

function rankOf(path: string): number {
  if (path === manifestPath) return 0;
  const parsed = parseArchivePath(path);
  if (parsed?.kind === 'run') return runRanks[parsed.file] ?? 5;
  return parsed?.kind === 'lock' ? 2 : 3;
}
