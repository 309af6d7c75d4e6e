import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DetachedProcess } from '../../adapters/exec.ts';
import { whereIs } from '../../adapters/place.ts';
import { processesWith, signalProcess } from '../../adapters/processes.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import { hostsOfVariable } from '../../adapters/schedulers/hostfile.ts';
import type { HostfileSchedule } from '../../core/launch/schedule.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { isUnheard, readHostsState } from '../hosts/hosts-end.ts';
import { sweepHosts } from '../hosts/sweep-hosts.ts';

/** How often hosts are asked whether anything of a run is left, where no connection says so. */
const askMs = 5_000;
/** For how long a host that does not answer may still be at work: as long as ssh itself waits for one. */
const silenceMs = 2 * 60_000;

/** The connections to the hosts of a run, as far as they are here. */
export interface HostClients {
  /** Leader of their process group; null where another tool started them. */
  readonly pid: number | null;
  /** The run's port on the first host; null where another tool chose it. */
  readonly port: number | null;
  /** Whether one of them, or else the run itself, is still there. */
  readonly alive: () => Promise<boolean>;
  /** Settles when the connections are gone, with how hosts.sh ended where that is known. */
  readonly gone: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  readonly signal: (name: NodeJS.Signals) => void;
}

export function startedClients({ pid, exited }: DetachedProcess, port: number): HostClients {
  let isAlive = true;
  const gone = exited.finally(() => {
    isAlive = false;
  });
  return {
    ...{ pid, port, gone },
    alive: () => Promise.resolve(isAlive),
    signal: (name) => {
      if (isAlive) signalProcess(-pid, name);
    },
  };
}

/**
 * The connections that another tool left here, or, where they are gone too or on another machine, what the hosts
 * themselves have of the run.
 * @returns null where nothing was ever started.
 */
export async function attachedClients(
  context: Context,
  folder: RunFolder,
  { hosts }: HostfileSchedule,
  events: readonly RunEvent[],
): Promise<HostClients | null> {
  const { runId, path } = folder;
  const starting = events.find((event) => event.type === 'starting');
  const here = (): number[] =>
    whereIs(starting?.place) === 'here' ? processesWith(hostsOfVariable, runId) : [];
  const request = { runId, graceSeconds: null, port: null, gpus: 0 };
  let silentSinceMs: number | null = null;
  const there = async (): Promise<boolean> => {
    const looks = await sweepHosts(context, hosts, request);
    if (looks.some(({ result }) => 'pids' in result && result.pids.length > 0)) return true;
    const state = readHostsState(path, hosts.length);
    const isSilent = looks.some(({ result }, node) => 'problem' in result && isUnheard(state, node));
    silentSinceMs = isSilent ? (silentSinceMs ?? context.now()) : null;
    return silentSinceMs !== null && context.now() - silentSinceMs < silenceMs;
  };
  let askedMs = Number.NEGATIVE_INFINITY;
  let isThere = true;
  const alive = async (): Promise<boolean> => {
    if (here().length > 0) return true;
    if (isThere && context.now() - askedMs >= askMs) {
      isThere = await there();
      askedMs = context.now();
    }
    return isThere;
  };
  const wasStarted = existsSync(join(path, runFiles.nodes)) || existsSync(join(path, runFiles.hosts));
  if (!(await alive()) && !wasStarted) return null;
  return {
    ...{ pid: null, port: null, alive },
    // Nobody here is their parent: they are asked about.
    gone: new Promise(() => undefined),
    signal: (name) => {
      for (const pid of here()) signalProcess(pid, name);
    },
  };
}
