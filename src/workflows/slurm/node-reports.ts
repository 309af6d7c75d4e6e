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
