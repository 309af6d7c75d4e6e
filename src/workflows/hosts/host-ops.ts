import { randomBytes } from 'node:crypto';
import { runIdVariable } from '../../adapters/processes.ts';
import { runOnHost } from '../../adapters/ssh.ts';
import type { AskedHost } from '../../core/launch/host-faults.ts';
import { opsScript } from '../../core/launch/ops-script.ts';
import { quoteWord } from '../../core/launch/quote.ts';
import { scriptEnvironment } from '../../core/stack/environment.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';
import { sweepHosts } from './sweep-hosts.ts';

/** Two ops took 90 s on two cores. */
const timeoutMs = 20 * 60_000;

/**
 * Has the ops of hosts with another CPU than the stack's built ahead of the first run, which would else wait for its
 * compiler: once for each kind of CPU, since the hosts share the folder.
 * @throws SuperOffloadError 'environment' where they cannot be built.
 */
export async function buildHostOps(
  context: Context,
  hosts: readonly AskedHost[],
  stack: StackLock,
): Promise<void> {
  const builders = new Map<string, AskedHost>();
  for (const host of hosts) {
    const { isa } = host.answer;
    if (isa !== null && !stack.ops.key.split('-').includes(isa) && !builders.has(isa))
      builders.set(isa, host);
  }
  await Promise.all([...builders.values()].map((host) => build(context, host, stack)));
}

async function build(context: Context, { name, answer }: AskedHost, stack: StackLock): Promise<void> {
  const { env, unset } = scriptEnvironment(stack, stack.accelerator, undefined);
  const path = stack.pathPrefix.map((folder) => `${quoteWord(folder)}:`).join('');
  const mark = `ops-${randomBytes(4).toString('hex')}`;
  const program = [
    `export ${runIdVariable}=${mark}`,
    `unset ${unset.join(' ')}`,
    ...Object.entries({ ...env, PATH: '' }).map(([variable, value]) =>
      variable === 'PATH' ? `export PATH=${path}"$PATH"` : `export ${variable}=${quoteWord(value)}`,
    ),
    `{ ${opsScript(stack.python.path, stack.accelerator)} } </dev/null`,
    '',
  ].join('\n');
  const title = `ops for the CPU of ${name} (${answer.hostName}), another than this stack's`;
  await asTask(context, { id: `ops-${name}`, title }, async ({ line: onLine }) => {
    const { env: own, signal } = context;
    const result = await runOnHost(name, program, { env: own, timeoutMs, signal, onLine });
    if (result.exitCode === 0) return;
    // Its connection is gone; its compiler is not.
    if (signal.aborted || result.timedOut) await sweepHosts(context, [{ name }], sweepOf(mark));
    signal.throwIfAborted();
    const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new SuperOffloadError({
      code: 'environment',
      message: `host ${name}: DeepSpeed's ops cannot be built for its CPU (status ${String(result.exitCode)})\n${said}`,
      hint: `it needs a C++ compiler there: ${stack.environment['CXX'] ?? 'c++'}; or use hosts of one kind`,
    });
  });
}

function sweepOf(runId: string): Parameters<typeof sweepHosts>[2] {
  return { runId, graceSeconds: 5, port: null, gpus: 0 };
}
