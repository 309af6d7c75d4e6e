import { setTimeout as sleep } from 'node:timers/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { existsSync, statSync } from 'node:fs';
import { probeMachine } from '../../adapters/probe/machine.ts';
import { findOnPath } from '../../adapters/probe/search-path.ts';
import { killLeftovers } from '../../adapters/stack/leftovers.ts';
import { tryMutex } from '../../adapters/stack/mutex.ts';
import type { Mutex } from '../../adapters/stack/mutex.ts';
import { loadStack, stackPaths } from '../../adapters/stack/store.ts';
import { acceleratorOf } from '../../core/machine/facts.ts';
import type { MachineFacts } from '../../core/machine/facts.ts';
import { planInstall } from '../../core/install/plan.ts';
import { stackNames } from '../../core/stack/lock.ts';
import type { StackLock, StackRequest } from '../../core/stack/lock.ts';
import { areSourcesCurrent, describeConflict, isCurrent } from '../../core/stack/current.ts';
import type { OpName } from '../../core/stack/ops.ts';
import { flagFaults } from '../../core/install/refusals.ts';
import type { InstallFlags } from '../../core/install/refusals.ts';
import type { InstallStep } from '../../core/install/steps.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { collectInstallFacts } from './facts.ts';
import type { Wanted } from './facts.ts';
import { runInstall } from './run.ts';
import { requireSources } from './upstreams.ts';
import { chooseSources, localIdentities, requestedSources, seriesHashes } from './sources.ts';

export interface InstallOptions extends InstallFlags {
  readonly reinstall: boolean;
  readonly dryRun: boolean;
  /** Which ops to build ahead; what a run on this machine needs when absent. */
  readonly ops?: readonly OpName[];
}

export interface InstallReport {
  /** `ready`: there was nothing to do. `planned`: a dry run. */
  readonly state: 'ready' | 'installed' | 'planned';
  readonly steps: readonly InstallStep[];
  readonly lock: StackLock | null;
  readonly elapsedMs: number;
}

/**
 * Makes a stack: environment, packages, ops, proof, and last of all its lock. Whatever happens in between, a stack
 * without a lock is not ready, and the next call goes on where the packages were complete, else starts clean.
 * @throws SuperOffloadError 'usage' (flags), 'environment' (machine, disk), 'install' (what failed).
 */
export async function installStack(ctx: Context, options: InstallOptions): Promise<InstallReport> {
  const began = ctx.now();
  const wanted = await wantedOf(ctx, options);
  const machine = await probeMachine(ctx.env);
  const report = (state: InstallReport['state'], steps: readonly InstallStep[], lock: StackLock | null) => ({
    ...{ state, steps, lock, elapsedMs: ctx.now() - began },
  });

  const ready = await readyStack(ctx, options, wanted, machine);
  if (ready !== undefined) return report('ready', [], ready);
  if (options.dryRun) {
    const { facts } = await collectInstallFacts(ctx, machine, wanted, options.reinstall);
    return report('planned', planInstall(facts), null);
  }
  const mutex = await takeMutex(ctx, options.stack);
  try {
    // Whoever held the lock may have done the work.
    const meanwhile = mutex.waited ? await readyStack(ctx, options, wanted, machine) : undefined;
    if (meanwhile !== undefined) return report('ready', [], meanwhile);
    await killLeftovers(stackPaths(ctx.home, options.stack).directory);
    const collected = await collectInstallFacts(ctx, machine, wanted, options.reinstall);
    await requireSources(ctx, options.stack, wanted.choices);
    const steps = planInstall(collected.facts);
    return report('installed', steps, await runInstall(ctx, { machine, wanted, collected, steps }));
  } finally {
    await mutex.release();
  }
}

/** @throws SuperOffloadError 'usage' with every fault of the flags. */
async function wantedOf(ctx: Context, options: InstallOptions): Promise<Wanted> {
  const faults = flagFaults(options);
  const before = stackNames.some((name) => name === options.stack)
    ? await loadStack(ctx.home, options.stack).catch(() => undefined)
    : undefined;
  const request = requestOf(ctx, options, before);
  const findLinks = options.findLinks === undefined ? null : resolve(ctx.cwd, options.findLinks);
  if (findLinks !== null && !isFolder(findLinks)) {
    faults.push({ place: '--find-links', problem: `no folder ${findLinks}`, expected: 'a folder of wheels' });
  }
  const sources = chooseSources(ctx, {
    ...{ stack: options.stack, megatron: request.megatron },
    ...{ sources: options.sources ?? [], refs: options.refs ?? [], before: before?.request },
  });
  faults.push(...sources.faults);
  if (faults.length > 0) throw faultsError('usage', faults);
  for (const message of sources.notes) ctx.emit({ type: 'note', message });
  return {
    ...{ name: options.stack, findLinks, isOffline: options.offline, ops: options.ops },
    ...{ choices: sources.choices, recalled: sources.recalled },
    ...{ request: { ...request, ...requestedSources(ctx, sources) } },
  };
}

async function readyStack(
  ctx: Context,
  options: InstallOptions,
  wanted: Wanted,
  machine: MachineFacts,
): Promise<StackLock | undefined> {
  if (options.reinstall) return undefined;
  const lock = await loadStack(ctx.home, options.stack);
  if (lock === undefined) return undefined;
  const conflict = describeConflict(lock, wanted.request);
  if (conflict !== undefined) throw new SuperOffloadError({ code: 'install', ...conflict });
  if (!isCurrent(lock, machine, acceleratorOf(machine, ctx.env))) return undefined;
  const local = await localIdentities(ctx, wanted, lock);
  return areSourcesCurrent(lock, wanted.choices, await seriesHashes(ctx), local) ? lock : undefined;
}

/**
 * What the flags ask for. A stack that has Megatron keeps it: no flag takes it away, and a later install that says
 * nothing of it means the same stack.
 */
function requestOf(
  { cwd, env, home }: Pick<Context, 'cwd' | 'env' | 'home'>,
  options: InstallOptions,
  before: StackLock | undefined,
): StackRequest {
  const { python } = options;
  const absolute =
    python === undefined
      ? null
      : isAbsolute(python) || python.includes('/')
        ? resolve(cwd, python)
        : (findOnPath(python, env) ?? python);
  return {
    torch: options.torch ?? null,
    deepspeed: options.deepspeed ?? null,
    python: absolute,
    overlay: options.overlay,
    megatron:
      options.stack === 'fork' ||
      (options.with ?? []).includes('megatron') ||
      before?.upstreams.megatron !== undefined ||
      // One that an interrupted install had begun to add.
      existsSync(join(stackPaths(home, options.stack).sources, 'megatron')),
    apex: options.apex ?? 'auto',
    ...{ sources: {}, refs: {} },
  };
}

async function takeMutex(ctx: Context, name: string): Promise<Mutex & { readonly waited: boolean }> {
  const path = stackPaths(ctx.home, name).mutex;
  for (let waited = false; ; waited = true) {
    const result = await tryMutex(path);
    if ('release' in result) return { ...result, waited };
    if (!waited) {
      const message = `another superoffload install (process ${result.heldBy}) is at work; waiting for it`;
      ctx.emit({ type: 'note', message });
    }
    await sleep(300, undefined, { signal: ctx.signal }).catch(() => {
      throw ctx.signal.reason;
    });
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
