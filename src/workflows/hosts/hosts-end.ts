import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sshFailed } from '../../adapters/ssh.ts';
import { parseHostEnds, type HostEnd } from '../../core/launch/hosts-script.ts';
import { parseNodeReport, type NodeReport } from '../../core/launch/node-report.ts';
import { runFiles } from '../../core/results/run-files.ts';

/** What hosts of a run said of themselves, in its folder. */
export interface HostsState {
  /** By node rank. */
  readonly reports: readonly NodeReport[];
  /** The hosts that ended, in that order. */
  readonly ends: readonly HostEnd[];
}

export function readHostsState(folder: string, nodes: number): HostsState {
  return {
    reports: Array.from({ length: nodes }, (_, node) =>
      parseNodeReport(readText(join(folder, runFiles.nodes, `${node}.ndjson`))),
    ),
    ends: parseHostEnds(readText(join(folder, runFiles.hosts))),
  };
}

/** The host that failed first, with what is known of how; null where none did. */
export interface HostFailure {
  readonly node: number;
  readonly exitCode: number | null;
  /** Its ssh ended, and the node never said how: the connection was lost, or node.sh was killed. */
  readonly lost: boolean;
  readonly started: boolean;
}

export function firstFailure({ reports, ends }: HostsState): HostFailure | null {
  const end = ends.find(({ status }) => status !== 0);
  if (end === undefined) return null;
  const report = reports[end.node];
  const exitCode = report?.exitCode ?? (end.status === sshFailed ? null : end.status);
  return { node: end.node, exitCode, lost: exitCode === null, started: isSaid(report?.startedUtc) };
}

/** Nodes that said they ended, and whose connection is held open by something that outlived them. */
export function lingering({ reports, ends }: HostsState): number[] {
  return [...reports.keys()].filter(
    (node) => isSaid(reports[node]?.endedUtc) && !ends.some((end) => end.node === node),
  );
}

/** Whether a node began and never said that it ended. */
export function isUnheard({ reports }: HostsState, node: number): boolean {
  const report = reports[node];
  return isSaid(report?.startedUtc) && !isSaid(report?.endedUtc);
}

function isSaid(value: string | null | undefined): boolean {
  return value !== null && value !== undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
