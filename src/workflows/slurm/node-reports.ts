import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../../adapters/run-store.ts';
import { oomKillsOf, parseNodeReport, type NodeReport } from '../../core/launch/node-report.ts';
import { runFiles } from '../../core/results/run-files.ts';

/** Whether so many nodes reported that all of their part of a run ended well. */
export function allEndedWell(folder: Pick<RunFolder, 'path'>, nodes: number): boolean {
  const reports = reportsOf(folder);
  return (
    reports.length >= nodes && reports.every(({ endedUtc, exitCode }) => endedUtc !== null && exitCode === 0)
  );
}

/**
 * The status of the run, where srun has that of a part that was ended with it (128 + N for signal N, and srun leaves
 * with the highest): that of the node that failed first by itself.
 */
export function ownStatus(folder: Pick<RunFolder, 'path'>, status: number | null): number | null {
  if (status === null || status <= 128) return status;
  const failed = reportsOf(folder).filter(
    ({ exitCode }) => exitCode !== null && exitCode > 0 && exitCode <= 128,
  );
  const [first] = failed.sort((a, b) => Date.parse(a.endedUtc ?? '') - Date.parse(b.endedUtc ?? ''));
  return first?.exitCode ?? status;
}

/** Of several tasks, one that left by itself with an error is why srun ended the others. */
export function failedFirst(status: number | null, tasks: number): { readonly failedFirst?: true } {
  return tasks > 1 && status !== null && status > 0 && status <= 128 ? { failedFirst: true } : {};
}

/** What the kernels of all nodes of a run counted; null where nobody did. */
export function oomKillsIn(folder: Pick<RunFolder, 'path'>): number | null {
  return oomKillsOf(reportsOf(folder));
}

function reportsOf({ path }: Pick<RunFolder, 'path'>): NodeReport[] {
  const folder = join(path, runFiles.nodes);
  try {
    return readdirSync(folder).map((name) => parseNodeReport(readFileSync(join(folder, name), 'utf8')));
  } catch {
    return [];
  }
}
