import { join } from 'node:path';
import { runFiles } from '../../core/results/run-files.ts';
import { sshCall } from '../../core/launch/ssh-command.ts';
import { startDetached, type DetachedProcess } from '../exec.ts';
import { runIdVariable } from '../processes.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Carried by hosts.sh and its ssh clients: the processes here that are nothing of the run itself. They are left alone
 * when a host is swept by the run's id, though it may be this very machine.
 */
export const hostsOfVariable = 'SUPEROFFLOAD_HOSTS_OF';

export interface HostsStart {
  readonly runId: string;
  readonly masterAddress: string;
  readonly masterPort: number;
  /** Export statements for the hosts. */
  readonly forward: string;
}

/**
 * Starts a run folder's hosts.sh in a process group of its own.
 * @throws Error when no shell can be started.
 */
export async function startHosts(folder: string, start: HostsStart, env: Env): Promise<DetachedProcess> {
  const redirect = 'exec >>"$1" 2>&1; exec /bin/sh "$2"';
  const files = [join(folder, runFiles.log), join(folder, runFiles.hostsScript)];
  return startDetached(['/bin/sh', '-c', redirect, 'superoffload', ...files], {
    cwd: folder,
    env: {
      ...env,
      [runIdVariable]: undefined,
      SUPEROFFLOAD_NODE_RANK: undefined,
      [hostsOfVariable]: start.runId,
      MASTER_ADDR: start.masterAddress,
      MASTER_PORT: String(start.masterPort),
      SUPEROFFLOAD_FORWARD: start.forward,
    },
  });
}

/**
 * Has a host run a program, and waits for nothing: what is called in a signal's own event, after which this program
 * may end at once. The process is there when this returns.
 */
export function sendToHost(host: string, program: string, env: Env): void {
  const script = `printf '%s\\n' "$SUPEROFFLOAD_PROGRAM" | ${sshCall()}`;
  void startDetached(['/bin/sh', '-c', script, 'ssh', host, '/bin/sh'], {
    cwd: '/',
    env: { ...env, [runIdVariable]: undefined, SUPEROFFLOAD_PROGRAM: program },
  }).catch(() => undefined);
}
