import { folderBytes } from '../../adapters/probe/disk.ts';
import { probeMachine } from '../../adapters/probe/machine.ts';
import { quickDrift } from '../../adapters/stack/manifest-drift.ts';
import { mutexHolder } from '../../adapters/stack/mutex.ts';
import { loadStack, stackNamesIn, stackPaths } from '../../adapters/stack/store.ts';
import { findRunId, readRun } from '../../adapters/stored-runs.ts';
import { acceleratorOf, type MachineFacts } from '../../core/machine/facts.ts';
import { stackReference } from '../../core/plan/stack-reference.ts';
import { isCurrent } from '../../core/stack/current.ts';
import { describeDrifts, type Drift } from '../../core/stack/drift.ts';
import { diffFacts, type LockDifference } from '../../core/stack/lock-diff.ts';
import { lockFacts, referenceFacts, type LockFact } from '../../core/stack/lock-facts.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { describeUpstream } from '../../core/stack/reference.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { requireStack, requireStackFolder } from './require-stack.ts';

/**
 * `changed`: the quick check found files that are not those of the install. `not ready`: an install was not finished.
 * `damaged`: its lock cannot be read. `for another machine`: compiled for another CPU, or for a GPU that is not here.
 */
export type StackState = 'ready' | 'changed' | 'not ready' | 'installing' | 'damaged' | 'for another machine';

/** One line of `stacks list`. Without a readable lock everything but the first three is null. */
export interface StackListing {
  readonly name: string;
  readonly directory: string;
  readonly state: StackState;
  /** What is wrong; null for a ready one. */
  readonly problem: string | null;
  readonly lock: StackLock | null;
  /** Where each upstream stands, in words. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** What it takes on the disk, bytes; null unless asked for. */
  readonly bytes: number | null;
}

interface ListOptions {
  /** Measure the folders too: a stack has some ten thousand files. */
  readonly size: boolean;
}

/** All folders of stacks, ready or not. */
export async function listStacks(ctx: Context, options: ListOptions): Promise<StackListing[]> {
  const [names, machine] = await Promise.all([stackNamesIn(ctx.home), probeMachine(ctx.env)]);
  return Promise.all(names.map((name) => listStack(ctx, name, machine, options)));
}

/** @throws SuperOffloadError as {@link requireStackFolder}. */
export async function showStack(
  ctx: Context,
  name: string,
  options: ListOptions,
): Promise<StackListing & { readonly facts: readonly LockFact[] }> {
  await requireStackFolder(ctx, name);
  const listing = await listStack(ctx, name, await probeMachine(ctx.env), options);
  return { ...listing, facts: listing.lock === null ? [] : lockFacts(listing.lock, null) };
}

async function listStack(
  ctx: Context,
  name: string,
  machine: MachineFacts,
  { size }: ListOptions,
): Promise<StackListing> {
  const { directory, mutex } = stackPaths(ctx.home, name);
  const listing = (state: StackState, problem: string | null, lock: StackLock | null): StackListing => ({
    ...{ name, directory, state, problem, lock, upstreams: lock === null ? {} : upstreamTexts(lock) },
    bytes: size ? folderBytes(directory) : null,
  });
  try {
    const lock = await loadStack(ctx.home, name);
    const holder = mutexHolder(mutex);
    if (lock === undefined && holder !== undefined) {
      return listing('installing', `process ${holder} installs it`, null);
    }
    if (lock === undefined) return listing('not ready', `run: superoffload install --stack ${name}`, null);
    const [state, problem] = await stateOf(ctx, lock, machine);
    return listing(state, problem, lock);
  } catch (error) {
    if (error instanceof SuperOffloadError) return listing('damaged', error.message, null);
    throw error;
  }
}

async function stateOf(
  { env }: Context,
  lock: StackLock,
  machine: MachineFacts,
): Promise<[StackState, string | null]> {
  const here = acceleratorOf(machine, env);
  if (!isCurrent(lock, machine, here)) {
    const problem =
      lock.accelerator === here
        ? "its ops are compiled for another CPU than this machine's"
        : `it is made for ${lock.accelerator}, and a run here would use ${here}`;
    return ['for another machine', problem];
  }
  const drifts: readonly Drift[] = (await quickDrift(lock)) ?? [];
  return drifts.length === 0 ? ['ready', null] : ['changed', describeDrifts(drifts).join('\n')];
}

function upstreamTexts(lock: StackLock): Record<string, string> {
  const { upstreams = {} } = stackReference(lock);
  return Object.fromEntries(
    Object.entries(upstreams).map(([name, upstream]) => [name, describeUpstream(upstream)]),
  );
}

export interface StackDiff {
  readonly a: string;
  readonly b: string;
  /** `run`: one of the two is a run, of whose stack its plan keeps only the main facts and the hash. */
  readonly kind: 'stacks' | 'run';
  readonly differences: readonly LockDifference[];
}

/**
 * Compares two stacks, or a stack with that of a run.
 * @throws SuperOffloadError 'usage' for what is neither; 'environment' for a stack that is not ready.
 */
export async function diffStacks(ctx: Context, a: string, b: string): Promise<StackDiff> {
  const names = await stackNamesIn(ctx.home);
  const isStack = (word: string): boolean => names.includes(word);
  if (isStack(a) && isStack(b)) {
    const [left, right] = await Promise.all([factsOf(ctx, a), factsOf(ctx, b)]);
    return { a, b, kind: 'stacks', differences: diffFacts(left, right) };
  }
  if (!isStack(a) && !isStack(b) && names.length === 0) await requireStackFolder(ctx, a);
  const [left, right] = await Promise.all([a, b].map((word) => shortFacts(ctx, word, isStack(word))));
  return { a, b, kind: 'run', differences: diffFacts(left ?? [], right ?? []) };
}

async function factsOf(ctx: Context, name: string): Promise<LockFact[]> {
  return lockFacts(await requireStack(ctx, name), stackPaths(ctx.home, name).directory);
}

async function shortFacts(ctx: Context, word: string, isStack: boolean): Promise<LockFact[]> {
  if (isStack) return referenceFacts(stackReference(await requireStack(ctx, word)));
  const run = readRun(ctx.home, await findRunId(ctx.home, word).catch(() => requireRun(ctx, word)));
  const stack = run.plan?.stack ?? null;
  if (stack !== null) return referenceFacts(stack);
  throw new SuperOffloadError({
    code: 'usage',
    message: `run ${run.runId} used no stack of this tool`,
    hint: 'it was a command of your own',
  });
}

/** A word that is no stack was most likely meant as one. */
async function requireRun(ctx: Context, word: string): Promise<never> {
  const names = await stackNamesIn(ctx.home);
  throw new SuperOffloadError({
    code: 'usage',
    message: `${JSON.stringify(word)} is neither a stack nor a run in ${ctx.home}`,
    hint: `stacks: ${names.length === 0 ? 'none' : names.join(', ')}; runs: superoffload runs list`,
  });
}
