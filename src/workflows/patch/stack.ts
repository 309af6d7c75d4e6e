import { join } from 'node:path';
import type { Reverted } from '../../adapters/patches/engine.ts';
import { patchPlaces } from '../../adapters/patches/record.ts';
import { sha256Of } from '../../adapters/patches/tree-files.ts';
import { loadManifest, patchedManifest, writeManifest } from '../../adapters/stack/manifest.ts';
import { quickDriftOf } from '../../adapters/stack/manifest-drift.ts';
import { tryMutex } from '../../adapters/stack/mutex.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import { treeHash } from '../../adapters/upstreams/tree-hash.ts';
import { writeJsonAtomic } from '../../adapters/files.ts';
import type { PatchDifference } from '../../core/patches/compare.ts';
import type { PatchState } from '../../core/patches/state.ts';
import { describeDrifts, lostManifest } from '../../core/stack/drift.ts';
import { lockHashText } from '../../core/stack/lock.ts';
import type { StackLock, UpstreamLock } from '../../core/stack/lock.ts';
import { upstreamNames } from '../../core/upstreams/upstream.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { applySeries, revertSeries, verifySeries } from './patch.ts';
import { checkSeries } from './check.ts';
import type { SeriesReport } from './check.ts';
import { requireSeries, seriesFit } from './series.ts';
import type { PatchTarget } from './series.ts';
import { requireStack } from '../stacks/require-stack.ts';

/** An upstream of a stack that has a series, as the lock tells of it. */
interface StackTarget extends PatchTarget {
  readonly recorded: PatchState | null;
}

export interface UpstreamPatched {
  readonly upstream: UpstreamName;
  readonly tree: string;
  readonly patches: PatchState;
}

export interface UpstreamVerified {
  readonly upstream: UpstreamName;
  readonly tree: string;
  readonly differences: readonly PatchDifference[];
}

export interface UpstreamReverted extends Reverted {
  readonly upstream: UpstreamName;
  readonly tree: string;
}

/** @returns what each series of the stack would do, and how far it is. Nothing is changed. */
export async function checkPatches(ctx: Context, name: string): Promise<SeriesReport[]> {
  const { targets } = await loadTargets(ctx, name);
  const reports: SeriesReport[] = [];
  for (const target of targets) reports.push(await checkSeries(ctx, target));
  return reports;
}

/** Patches every upstream of the stack that has a series, and writes the lock. */
export async function patchStack(ctx: Context, name: string): Promise<UpstreamPatched[]> {
  return withStack(ctx, name, async ({ lock, targets }) => {
    const patched: UpstreamPatched[] = [];
    let newest = lock;
    for (const target of targets) {
      const patches = await applySeries(ctx, target);
      // After each: the next one may fail, and the lock must tell the truth then.
      newest = await refreshLock(ctx, newest, target, patches);
      patched.push({ upstream: target.upstream, tree: target.tree, patches });
    }
    return patched;
  });
}

/** Compares every patched file with the lock, and the lock with the series. */
export async function verifyPatches(ctx: Context, name: string): Promise<UpstreamVerified[]> {
  const { targets } = await loadTargets(ctx, name);
  const verified: UpstreamVerified[] = [];
  for (const target of targets) {
    const differences = await verifySeries(ctx, target);
    verified.push({ upstream: target.upstream, tree: target.tree, differences });
  }
  return verified;
}

/** Puts every upstream's own files back, and writes the lock. */
export async function revertPatches(
  ctx: Context,
  name: string,
  isDryRun: boolean,
): Promise<UpstreamReverted[]> {
  const work = async ({ lock, targets }: Loaded): Promise<UpstreamReverted[]> => {
    const all: UpstreamReverted[] = [];
    let newest = lock;
    for (const target of [...targets].reverse()) {
      const { upstream, tree } = target;
      const reverted = await revertSeries(ctx, { ...target, isDryRun });
      if (!isDryRun) newest = await refreshLock(ctx, newest, target, null);
      all.push({ upstream, tree, ...reverted });
    }
    return all;
  };
  return isDryRun ? work(await loadTargets(ctx, name)) : withStack(ctx, name, work);
}

interface Loaded {
  readonly lock: StackLock;
  readonly targets: readonly StackTarget[];
}

/** @throws SuperOffloadError as {@link requireStack}. */
async function loadTargets(ctx: Context, name: string): Promise<Loaded> {
  const lock = await requireStack(ctx, name);
  const targets: StackTarget[] = [];
  for (const upstream of upstreamNames) {
    const of = lock.upstreams[upstream];
    if (of === undefined) continue;
    const target = { upstream, tree: of.directory, facts: factsOf(lock, of), recorded: of.patches };
    const { fit } = await seriesFit(ctx, upstream, target.facts);
    // A package of another version than the series is made for was installed unpatched on purpose.
    if (fit === 'listed' || (fit === 'unlisted' && (of.commit !== null || of.patches !== null))) {
      targets.push(target);
    }
  }
  return { lock, targets };
}

function factsOf(lock: StackLock, { commit, version }: UpstreamLock): PatchTarget['facts'] {
  return {
    ...{ commit, version: commit === null ? version : null },
    ...{ torch: lock.torch.version, deepspeed: lock.deepspeed.version, apex: lock.apex?.kind ?? null },
  };
}

/** Nobody may install while a stack is patched. */
async function withStack<T>(ctx: Context, name: string, work: (loaded: Loaded) => Promise<T>): Promise<T> {
  await loadTargets(ctx, name);
  const turn = await tryMutex(stackPaths(ctx.home, name).mutex);
  if ('heldBy' in turn) {
    throw new SuperOffloadError({
      code: 'environment',
      message: `process ${turn.heldBy} is installing or patching stack ${name}`,
      hint: 'wait until it is done',
    });
  }
  try {
    const loaded = await loadTargets(ctx, name);
    await requireUnchanged(ctx, loaded);
    return await work(loaded);
  } finally {
    await turn.release();
  }
}

/** Every path that the series may write, or what was applied before: absolute, without links. */
async function pathsOf(ctx: Context, target: StackTarget): Promise<string[]> {
  const { selection } = await requireSeries(ctx, target);
  const { files = [], overlay = [] } = target.recorded ?? {};
  const { tree } = patchPlaces(target.tree);
  return [...selection.targets, ...files, ...overlay].map(({ path }) => join(tree, path));
}

/**
 * Patching ends with a new lock and a new manifest: what somebody else changed before must not look installed then.
 * @throws SuperOffloadError 'environment' with every change that is none of a patch, as far as the quick check sees.
 */
async function requireUnchanged(ctx: Context, { lock, targets }: Loaded): Promise<void> {
  if (targets.length === 0) return;
  const kept = await loadManifest(lock);
  const paths = (await Promise.all(targets.map((target) => pathsOf(ctx, target)))).flat();
  const drifts =
    kept === undefined ? [lostManifest] : quickDriftOf(await patchedManifest(kept, lock, paths, ctx), lock);
  if (drifts.length === 0) return;
  const lines = describeDrifts(drifts);
  throw new SuperOffloadError({
    code: 'environment',
    message: [`stack ${lock.name} was changed, and not by a patch:`, ...lines].join('\n  '),
    hint:
      `to mend it: superoffload install --stack ${lock.name} --reinstall\n` +
      `to see whether only times changed: superoffload stacks verify ${lock.name}`,
  });
}

/**
 * Writes what a stack's tree is now: its patches, its hash, the hash of the stack, and of the manifest what the patches
 * may have changed.
 * @returns the lock as it is then.
 */
async function refreshLock(
  ctx: Context,
  lock: StackLock,
  target: StackTarget,
  patches: PatchState | null,
): Promise<StackLock> {
  const { upstream } = target;
  const old = lock.upstreams[upstream];
  const kept = await loadManifest(lock);
  if (old === undefined || kept === undefined) throw new Error(`${upstream} was there a moment ago`);
  const of = { ...old, patches, tree: await upstreamTree({ ...old, patches }) };
  const next = { ...lock, upstreams: { ...lock.upstreams, [upstream]: of } };
  const fresh = { ...next, hash: sha256Of(lockHashText(next)) };
  const paths = await pathsOf(ctx, target);
  await writeManifest(fresh, await patchedManifest(kept, fresh, paths, { signal: ctx.signal }));
  if (JSON.stringify(fresh) === JSON.stringify(lock)) return lock;
  await writeJsonAtomic(stackPaths(ctx.home, lock.name).lock, fresh);
  return fresh;
}

/**
 * What `tree` of an upstream's lock is: of a repository, over its files; of a package of the index, whose other files
 * are known by its version, over what the patches made of it.
 */
export async function upstreamTree({
  commit,
  version,
  directory,
  patches,
}: Pick<UpstreamLock, 'commit' | 'version' | 'directory' | 'patches'>): Promise<string> {
  if (commit !== null) return treeHash(directory);
  const content = [version, patches?.files ?? [], patches?.overlay ?? []];
  return sha256Of(JSON.stringify(content));
}
