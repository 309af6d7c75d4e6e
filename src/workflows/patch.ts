import { applyToTree, revertTree } from '../adapters/patches/engine.ts';
import type { Reverted } from '../adapters/patches/engine.ts';
import { verifyTree } from '../adapters/patches/verify.ts';
import { stateDifferences } from '../core/patches/compare.ts';
import type { PatchDifference } from '../core/patches/compare.ts';
import { stateOf } from '../core/patches/state.ts';
import type { PatchState } from '../core/patches/state.ts';
import { SuperOffloadError } from '../errors.ts';
import type { Context } from './context.ts';
import { gitOptions, requireSeries } from './patch-series.ts';
import type { PatchTarget } from './patch-series.ts';

/**
 * Patches a tree; does nothing where all is done.
 * @throws SuperOffloadError 'environment' naming patch, file, expected and found blob of everything that does not
 * apply, 'config' for a damaged series. The tree is as it was then.
 */
export async function applySeries(ctx: Context, target: PatchTarget): Promise<PatchState> {
  const title = `patch ${target.upstream}`;
  return asTask(ctx, { id: `patch-${target.upstream}`, title }, async (onStep) => {
    const { series, selection } = await requireSeries(ctx, target);
    const request = { series, selection, facts: target.facts };
    return applyToTree(target.tree, request, { ...gitOptions(ctx), onStep });
  });
}

/**
 * Compares a tree with what was recorded of it, and that with the series of this superoffload. Reads every file.
 * @param recorded the lock's; null: the lock says that it is not patched, and everything counts as missing.
 * @returns every difference; none means: proved.
 */
export async function verifySeries(
  ctx: Context,
  target: PatchTarget & { readonly recorded: PatchState | null },
): Promise<PatchDifference[]> {
  const { series, selection } = await requireSeries(ctx, target);
  const wanted = stateOf(series.sha256, selection);
  const upstream = new Map(selection.targets.map((file) => [file.path, file.upstream]));
  const found = await verifyTree(target.tree, target.recorded ?? wanted, upstream);
  if (target.recorded !== null) return [...stateDifferences(target.recorded, wanted), ...found];
  if (found.length > 0) return found;
  const problem = 'the tree is patched, and the lock does not say so: run superoffload patch';
  return [{ path: 'lock.json', problem, expected: wanted.seriesSha256, found: null }];
}

/**
 * Puts an upstream's own files back and removes ours.
 * @throws SuperOffloadError 'environment' where a patched file was changed since, or where the upstream's content is
 * not kept any more. The tree is as it was then.
 */
export async function revertSeries(
  ctx: Context,
  target: Pick<PatchTarget, 'upstream' | 'tree'> & {
    readonly recorded: PatchState | null;
    readonly isDryRun: boolean;
  },
): Promise<Reverted> {
  const { upstream, tree, recorded, isDryRun } = target;
  const revert = async (onStep: (line: string) => void): Promise<Reverted> => {
    const reverted = await revertTree(tree, { ...gitOptions(ctx), onStep, isDryRun });
    const isNothing = reverted.restored.length + reverted.removed.length === 0;
    if (isNothing && recorded !== null && (await isStillPatched(tree, recorded))) {
      const message = `${tree} is patched, but its own files are not kept beside it any more`;
      throw new SuperOffloadError({
        ...{ code: 'environment', message },
        hint: 'run: superoffload install --reinstall',
      });
    }
    return reverted;
  };
  if (isDryRun) return revert(() => undefined);
  return asTask(ctx, { id: `patch-${upstream}`, title: `revert the patches of ${upstream}` }, revert);
}

async function isStillPatched(tree: string, recorded: PatchState): Promise<boolean> {
  const count = recorded.files.length + recorded.overlay.length;
  return count > 0 && (await verifyTree(tree, recorded, new Map())).length < count;
}

/** Shows work as a task with its newest step. */
async function asTask<T>(
  ctx: Context,
  { id, title }: { readonly id: string; readonly title: string },
  work: (onStep: (line: string) => void) => Promise<T>,
): Promise<T> {
  const began = ctx.now();
  const tell = (state: 'start' | 'done' | 'failed'): void => {
    const elapsed = state === 'start' ? {} : { elapsedMs: ctx.now() - began };
    ctx.emit({ type: 'task', id, state, message: title, ...elapsed });
  };
  tell('start');
  try {
    const result = await work((line) => {
      ctx.emit({ type: 'task-output', id, line, elapsedMs: ctx.now() - began });
    });
    tell('done');
    return result;
  } catch (error) {
    tell('failed');
    throw error;
  }
}
