import { forEachHost, runOnHost } from '../../adapters/ssh.ts';
import { masterCandidates, type AskedHost } from '../../core/launch/host-faults.ts';
import {
  acceptProgram,
  connectProgram,
  parseAcceptPort,
  parseReached,
} from '../../core/launch/reach-check.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

const timeoutMs = 60_000;

/**
 * The address at which the first host is reached by all others, found by doing it: which of its addresses lead to it
 * is known to nobody else (a bridge of containers has the same one everywhere, and firewalls are silent).
 * @param python on every host; null where the run brings none: then the likeliest is taken unseen
 * @throws SuperOffloadError 'environment' where there is none.
 */
export async function masterAddressOf(
  context: Context,
  hosts: readonly AskedHost[],
  python: string | null,
): Promise<string> {
  const [master, ...others] = hosts;
  const candidates = masterCandidates(hosts);
  if (master === undefined || others.length === 0) return '127.0.0.1';
  if (python === null) return candidates[0] ?? master.name;
  const reached = await reachedBy(context, master, others, { candidates, python });
  const common = candidates.find((address) => reached.every((addresses) => addresses.includes(address)));
  if (common !== undefined) return common;
  const lost = others.filter((_, index) => reached[index]?.length === 0).map(({ name }) => name);
  const who = lost.length === 0 ? 'its addresses differ from host to host' : `from ${lost.join(', ')}`;
  throw new SuperOffloadError({
    code: 'environment',
    message: `host ${master.name}: no address of it is reached by all others (${who}); tried ${candidates.join(', ')}`,
    hint: 'the ranks connect to ports of the first host: put a host that the others can reach first in the hostfile, or open its firewall to them',
  });
}

/** @returns the addresses by which each of `others` got through to the first host. */
async function reachedBy(
  context: Context,
  master: AskedHost,
  others: readonly AskedHost[],
  { candidates, python }: { readonly candidates: readonly string[]; readonly python: string },
): Promise<string[][]> {
  const { env } = context;
  const done = new AbortController();
  const signal = AbortSignal.any([context.signal, done.signal]);
  let listening: (port: number | null) => void = () => undefined;
  const port = new Promise<number | null>((resolve) => (listening = resolve));
  const accepting = runOnHost(master.name, acceptProgram(python), {
    ...{ env, timeoutMs, signal },
    onLine: (line) => {
      const found = parseAcceptPort(line);
      if (found !== null) listening(found);
    },
  }).finally(() => {
    listening(null);
  });
  try {
    const open = await port;
    context.signal.throwIfAborted();
    if (open === null) return others.map(() => []);
    const program = connectProgram(python, candidates, open);
    return await forEachHost(others, async ({ name }) =>
      parseReached((await runOnHost(name, program, { env, timeoutMs, signal })).stdout),
    );
  } finally {
    done.abort();
    await accepting;
  }
}
