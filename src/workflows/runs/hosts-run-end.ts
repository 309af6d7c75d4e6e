import type { RunFolder } from '../../adapters/run-store.ts';
import { oomKillsOf } from '../../core/launch/node-report.ts';
import type { Host } from '../../core/launch/schedule.ts';
import type { SchedulerVerdict } from '../../core/logs/events.ts';
import type { Context } from '../context.ts';
import { firstFailure, isUnheard, readHostsState, type HostsState } from '../hosts/hosts-end.ts';
import { sweepHosts } from '../hosts/sweep-hosts.ts';
import type { HostClients } from './hosts-clients.ts';
import type { RunEnd } from './started-run.ts';

interface Ending {
  /** This tool ended it: no host is to blame. */
  readonly stopped: boolean;
  readonly clients: Pick<HostClients, 'gone' | 'pid'>;
}

/**
 * How a run ended whose connections are gone: as the host did that failed first. Where a host is gone, that is why the
 * others failed, however early they said so: its own silence is noticed later than the ranks' lost connections.
 */
export async function hostsEndOf(
  context: Context,
  folder: RunFolder,
  hosts: readonly Host[],
  { stopped, clients }: Ending,
): Promise<RunEnd> {
  const state = readHostsState(folder.path, hosts.length);
  const failure = firstFailure(state);
  const verdict = stopped ? null : await verdictOn(context, folder, hosts, state);
  const none = { signal: null, scheduler: verdict, oomKills: oomKillsOf(state.reports) };
  if (failure !== null && !failure.lost) {
    return { ...none, exitCode: failure.exitCode, ...(hosts.length > 1 ? { failedFirst: true } : {}) };
  }
  if (verdict !== null) return { ...none, exitCode: null };
  // node.sh does not end of a signal that it can catch.
  if (failure !== null) return { ...none, exitCode: null, signal: 'SIGKILL' };
  const nodeCodes = state.reports.map(({ exitCode }) => exitCode);
  const failed = nodeCodes.find((code) => code !== null && code !== 0);
  if (failed !== undefined) return { ...none, exitCode: failed };
  if (nodeCodes.every((code) => code === 0)) return { ...none, exitCode: 0 };
  // Some node said nothing: hosts.sh was ended, or another tool saw its end.
  const exit = clients.pid === null ? { exitCode: null, signal: null } : await clients.gone;
  return { ...none, ...exit, exitCode: exit.exitCode === 0 ? null : exit.exitCode };
}

/** Asks the hosts whose node never said how it ended: one may be gone, or never have begun. */
async function verdictOn(
  context: Context,
  { runId }: RunFolder,
  hosts: readonly Host[],
  state: HostsState,
): Promise<SchedulerVerdict | null> {
  const failure = firstFailure(state);
  const isLost = (node: number): boolean => failure?.lost === true && failure.node === node;
  const unheard = hosts.filter((_, node) => isLost(node) || isUnheard(state, node));
  const looks = await sweepHosts(context, unheard, { runId, graceSeconds: null, port: null, gpus: 0 });
  const problemOf = (name: string | undefined): string | null => {
    const result = looks.find(({ host }) => host === name)?.result;
    return result !== undefined && 'problem' in result ? result.problem : null;
  };
  if (failure?.lost === true && !failure.started) {
    const name = hosts[failure.node]?.name;
    const why = problemOf(name) ?? 'ended the connection before the run began there';
    return { class: 'launch_error', reason: `host ${name ?? ''} ${why}` };
  }
  const gone = unheard.find(({ name }) => problemOf(name) !== null);
  return gone === undefined
    ? null
    : { class: 'node_fail', reason: `host ${gone.name} ${problemOf(gone.name) ?? ''}` };
}
