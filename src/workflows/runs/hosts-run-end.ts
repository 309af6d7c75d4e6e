import type { RunFolder } from '../../adapters/run-store.ts';
import { oomKillsOf } from '../../core/launch/node-report.ts';
import type { Host } from '../../core/launch/schedule.ts';
import type { SchedulerVerdict } from '../../core/logs/events.ts';
import type { Context } from '../context.ts';
import { firstFailure, readHostsState, type HostFailure } from '../hosts/hosts-end.ts';
import { sweepHosts } from '../hosts/sweep-hosts.ts';
import type { HostClients } from './hosts-clients.ts';
import type { RunEnd } from './started-run.ts';

interface Ending {
  /** This tool ended it: no host is to blame. */
  readonly stopped: boolean;
  readonly clients: Pick<HostClients, 'gone' | 'pid'>;
}

/** How a run ended whose connections are gone: as the host did that failed first. */
export async function hostsEndOf(
  context: Context,
  folder: RunFolder,
  hosts: readonly Host[],
  { stopped, clients }: Ending,
): Promise<RunEnd> {
  const state = readHostsState(folder.path, hosts.length);
  const oomKills = oomKillsOf(state.reports);
  const failure = firstFailure(state);
  const none = { signal: null, scheduler: null, oomKills };
  if (failure !== null && !failure.lost) return { ...none, exitCode: failure.exitCode };
  if (failure !== null) {
    const verdict = stopped ? null : await verdictOn(context, folder, hosts, failure);
    // node.sh does not end of a signal that it can catch.
    return { ...none, exitCode: null, signal: verdict === null ? 'SIGKILL' : null, scheduler: verdict };
  }
  const nodeCodes = state.reports.map(({ exitCode }) => exitCode);
  const failed = nodeCodes.find((code) => code !== null && code !== 0);
  if (failed !== undefined) return { ...none, exitCode: failed };
  if (nodeCodes.every((code) => code === 0)) return { ...none, exitCode: 0 };
  // Some node said nothing: hosts.sh was ended, or another tool saw its end.
  const exit = clients.pid === null ? { exitCode: null, signal: null } : await clients.gone;
  return { ...none, ...exit, exitCode: exit.exitCode === 0 ? null : exit.exitCode };
}

/** Why a connection broke off before its node had ended: a host that is gone, or one that never began. */
async function verdictOn(
  context: Context,
  { runId }: RunFolder,
  hosts: readonly Host[],
  { node, started }: HostFailure,
): Promise<SchedulerVerdict | null> {
  const host = hosts[node];
  if (host === undefined) return null;
  const request = { runId, graceSeconds: null, port: null, gpus: 0 };
  const [look] = await sweepHosts(context, [host], request);
  const problem = look !== undefined && 'problem' in look.result ? look.result.problem : null;
  if (!started) {
    const reason = `host ${host.name} ${problem ?? 'ended the connection before the run began there'}`;
    return { class: 'launch_error', reason };
  }
  return problem === null ? null : { class: 'node_fail', reason: `host ${host.name} ${problem}` };
}
