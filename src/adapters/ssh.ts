import { sshCall } from '../core/launch/ssh-command.ts';
import { capture, type CommandResult } from './exec.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface HostCallOptions {
  readonly env: Env;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with each line of output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Connections at once: each is a process of ssh here, and a login there. */
const maxConnections = 32;

/** Status with which ssh leaves when it was not the remote command that failed (ssh(1)). */
export const sshFailed = 255;

/**
 * Has a host's /bin/sh run a program, which it reads from its input: no word of it is split by a login shell, and
 * whichever shell that is does not matter.
 */
export async function runOnHost(
  host: string,
  program: string,
  options: HostCallOptions,
): Promise<CommandResult> {
  return capture(['/bin/sh', '-c', sshCall('exec '), 'ssh', host, '/bin/sh'], { ...options, input: program });
}

/** The same for many hosts, all at once within reason. @returns what `work` made of each, in their order. */
export async function forEachHost<Host, Result>(
  hosts: readonly Host[],
  work: (host: Host, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < hosts.length; index = next++) {
      results[index] = await work(hosts[index] as Host, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConnections, hosts.length) }, worker));
  return results;
}
