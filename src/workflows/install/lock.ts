import { sha256Of } from '../../adapters/patches/tree-files.ts';
import { readOpFlags } from '../../adapters/stack/tools.ts';
import { collectWheels } from '../../adapters/stack/wheels.ts';
import type { MachineFacts } from '../../core/machine/facts.ts';
import { stackPython } from '../../core/install/plan.ts';
import { lockHashText, lockSchemaVersion } from '../../core/stack/lock.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { checksHashes } from '../../core/install/package-steps.ts';
import { renderRequirements } from '../../core/install/requirements.ts';
import { runtimeFacts } from '../../core/stack/runtime-facts.ts';
import type { Verification } from '../../core/install/verification.ts';
import { utcNow, type Context } from '../context.ts';
import type { Collected, Wanted } from './facts.ts';
import type { FixedEnvironment } from './step.ts';

export interface Installed extends Pick<StackLock, 'upstreams' | 'apex'> {
  readonly wanted: Wanted;
  readonly collected: Collected;
  readonly machine: MachineFacts;
  readonly fixed: FixedEnvironment;
  readonly verified: Verification;
  readonly installMs: number;
}

/** Everything that an install leaves, as its lock says it. */
export async function makeLock(ctx: Context, installed: Installed): Promise<StackLock> {
  const { wanted, collected, verified, fixed } = installed;
  const { facts, compiler, ninja, key, accelerator } = collected;
  const text = facts.requirementsText ?? renderRequirements(facts.packages, checksHashes(facts));
  const python = {
    path: stackPython(facts.origin, facts.folders, facts.python),
    ...{ version: verified.python, base: facts.python.base },
  };
  const checked = checksHashes(facts) ? [...facts.packages, ...facts.sources.packages] : [];
  const lock: Omit<StackLock, 'hash'> = {
    schemaVersion: lockSchemaVersion,
    ...{ name: wanted.name, origin: facts.origin, accelerator, request: wanted.request, python },
    torch: { version: verified.torch, cuda: verified.cuda },
    deepspeed: { version: verified.deepspeed },
    ops: {
      ...{ directory: facts.opsDirectory, key, built: facts.ops, compiler: compiler.version, ninja },
      flags: await readOpFlags(facts.opsDirectory, facts.ops),
    },
    upstreams: installed.upstreams,
    apex: installed.apex,
    packages: verified.packages,
    wheels: await collectWheels({ python, environment: fixed.environment }, checked),
    runtime: runtimeFacts(verified, installed.machine),
    requirementsSha256: facts.packages.length === 0 ? null : sha256Of(text),
    hashesChecked: checksHashes(facts),
    ...fixed,
    createdUtc: utcNow(ctx),
    installMs: installed.installMs,
  };
  return { ...lock, hash: sha256Of(lockHashText(lock)) };
}
