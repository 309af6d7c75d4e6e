import { dirname, join } from 'node:path';
import { runOnHost } from '../../adapters/ssh.ts';
import type { AskedHost } from '../../core/launch/host-faults.ts';
import { opsKeyOn } from '../../core/launch/host-faults.ts';
import { quoteCommand, quoteWord } from '../../core/launch/quote.ts';
import { simdOf } from '../../core/machine/proc.ts';
import { scriptEnvironment } from '../../core/stack/environment.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';

/** Two ops took 90 s on two cores. */
const timeoutMs = 20 * 60_000;

/** Node's words for `uname -m`. */
const architectures: Readonly<Record<string, string>> = { aarch64: 'arm64', x86_64: 'x64' };

/**
 * Sees to the ops of hosts whose CPU is another than the one that the stack's were compiled on (-march=native): they
 * are built there, in a folder of their own beside the stack's, once for each kind of CPU.
 * @returns the folder by the host's name; hosts with the stack's own CPU are left out.
 * @throws SuperOffloadError 'environment' where one cannot be built.
 */
export async function hostOps(
  context: Context,
  hosts: readonly AskedHost[],
  stack: StackLock,
): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  const builders = new Map<string, AskedHost>();
  for (const host of hosts) {
    const folder = opsFolderOf(host, stack);
    if (folder === null) continue;
    folders.set(host.name, folder);
    if (!builders.has(folder)) builders.set(folder, host);
  }
  // A shared file system: one host of a kind builds for all of them.
  await Promise.all([...builders].map(([folder, host]) => buildOps(context, host, stack, folder)));
  return folders;
}

/** @returns null for a host with the stack's own CPU. */
function opsFolderOf({ answer }: AskedHost, { ops }: StackLock): string | null {
  if (answer.isa === null || ops.key.split('-').includes(answer.isa)) return null;
  const simd = simdOf(architectures[answer.arch] ?? answer.arch, answer.flags);
  const key = opsKeyOn(ops.key, { isa: answer.isa, simd });
  return key === ops.key ? null : join(dirname(ops.directory), key);
}

async function buildOps(
  context: Context,
  { name, answer }: AskedHost,
  stack: StackLock,
  folder: string,
): Promise<void> {
  const { env, unset } = scriptEnvironment(stack, stack.accelerator, undefined);
  const check = join(context.packageRoot, 'experiment/stacks/check_stack.py');
  const program = [
    `unset ${unset.join(' ')}`,
    ...Object.entries({ ...env, TORCH_EXTENSIONS_DIR: folder })
      .filter(([variable]) => variable !== 'PATH')
      .map(([variable, value]) => `export ${variable}=${quoteWord(value)}`),
    `export PATH=${stack.pathPrefix.map((path) => `${quoteWord(path)}:`).join('')}"$PATH"`,
    `mkdir -p ${quoteWord(folder)} && exec ${quoteCommand([stack.python.path, check, 'build', ...stack.ops.built])} </dev/null`,
    '',
  ].join('\n');
  const title = `ops for the CPU of ${name} (${answer.hostName}), which is another than this stack's`;
  await asTask(context, { id: `ops-${name}`, title }, async ({ line: onLine }) => {
    const result = await runOnHost(name, program, {
      env: context.env,
      timeoutMs,
      signal: context.signal,
      onLine,
    });
    context.signal.throwIfAborted();
    if (result.exitCode === 0) return;
    const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new SuperOffloadError({
      code: 'environment',
      message: `host ${name}: DeepSpeed's ops cannot be built for its CPU (status ${String(result.exitCode)})\n${said}`,
      hint: `it needs a C++ compiler there: ${stack.environment['CXX'] ?? 'c++'}; or use hosts of one kind`,
    });
  });
}
