/** What `node.sh` says of a node's part of a run: one JSON line at its start, one at its end, of each task. */
interface ReportLine {
  readonly event: 'start' | 'end';
  readonly node: number;
  /** Rank on the node with srun, where each is a task of its own; else 0. */
  readonly task: number;
  readonly host: string;
  readonly utc: string;
  /** Only at the end: status of `run.sh`, 128 + N for signal N. */
  readonly exitCode?: number;
  /** Only at the end: OOM kills meanwhile, of the cgroup and of the machine; null where the kernel does not count. */
  readonly oomKills?: { readonly cgroup: number | null; readonly machine: number | null };
}

/** One node's part of a run. */
export interface NodeReport {
  readonly host: string | null;
  readonly startedUtc: string | null;
  /** When the last task ended; null while one runs, or where one was killed before it could say so. */
  readonly endedUtc: string | null;
  /** Status of the task that failed first, 0 where all ended well; null as above where none failed. */
  readonly exitCode: number | null;
  /** OOM kills on the node while it ran: of its cgroup, and of the whole machine, where others die too, only without. */
  readonly oomKills: number | null;
}

/** Reads `nodes/<node rank>.ndjson`. A line that is cut or of something else is left out. */
export function parseNodeReport(text: string): NodeReport {
  const lines = text.split('\n').flatMap(readLine);
  const starts = lines.filter(({ event }) => event === 'start');
  const ends = lines.filter(({ event }) => event === 'end');
  const complete = starts.length > 0 && ends.length >= starts.length;
  const failed = ends.find(({ exitCode }) => exitCode !== 0);
  // Tasks of one node read the same counters: the largest difference is the node's.
  const kills = ends.flatMap(({ oomKills }) => oomKills?.cgroup ?? oomKills?.machine ?? []);
  return {
    host: lines[0]?.host ?? null,
    startedUtc: starts[0]?.utc ?? null,
    endedUtc: complete ? (ends.at(-1)?.utc ?? null) : null,
    exitCode: failed?.exitCode ?? (complete ? 0 : null),
    oomKills: kills.length === 0 ? null : Math.max(...kills),
  };
}

function readLine(line: string): ReportLine[] {
  try {
    const value = JSON.parse(line) as Partial<ReportLine> | null;
    const known = value?.event === 'start' || (value?.event === 'end' && typeof value.exitCode === 'number');
    return known ? [value as ReportLine] : [];
  } catch {
    return [];
  }
}

/** OOM kills on all nodes together; null where no node counted. */
export function oomKillsOf(reports: readonly NodeReport[]): number | null {
  const counted = reports.flatMap(({ oomKills }) => oomKills ?? []);
  return counted.length === 0 ? null : counted.reduce((sum, kills) => sum + kills, 0);
}
