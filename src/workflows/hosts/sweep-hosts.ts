import { randomInt } from 'node:crypto';
import { forEachHost, runOnHost } from '../../adapters/ssh.ts';
import { freePortProgram, hostPorts, parseFreePort } from '../../core/launch/host-port.ts';
import type { Host } from '../../core/launch/schedule.ts';
import { parseSweep, sweepProgram, type Sweep, type SweepRequest } from '../../core/launch/sweep.ts';
import { faultsError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { silence } from './ask-hosts.ts';

/** What a sweep's own looking takes, beside its grace. */
const lookMs = 60_000;

export interface HostSweep {
  readonly host: string;
  /** What is left there, or why nobody could look. */
  readonly result: Sweep | Fault;
}

/** Ends what a run left on its hosts, all at once; a second signal to this program ends the waiting for it. */
export async function sweepHosts(
  context: Pick<Context, 'env' | 'force'>,
  hosts: readonly Pick<Host, 'name'>[],
  request: SweepRequest,
): Promise<HostSweep[]> {
  const timeoutMs = lookMs + (request.graceSeconds ?? 0) * 1000;
  return forEachHost(hosts, async ({ name }, index) => {
    // Only the first host had the port.
    const program = sweepProgram({ ...request, port: index === 0 ? request.port : null });
    const answer = await runOnHost(name, program, { env: context.env, timeoutMs, signal: context.force });
    return { host: name, result: parseSweep(answer.stdout) ?? silence(name, answer) };
  });
}

/** A run that is starting meanwhile asks for others. */
const candidates = 16;

/**
 * A port of a host that nothing there uses now.
 * @throws SuperOffloadError 'environment' where the host does not answer.
 */
export async function freeHostPort(context: Context, { name }: Host): Promise<number> {
  const { env, signal } = context;
  const ports = Array.from({ length: candidates }, () => randomInt(hostPorts.first, hostPorts.last));
  const answer = await runOnHost(name, freePortProgram(ports), { env, signal, timeoutMs: lookMs });
  signal.throwIfAborted();
  const port = parseFreePort(answer.stdout);
  if (port === null) throw faultsError('environment', [silence(name, answer)]);
  return port;
}
