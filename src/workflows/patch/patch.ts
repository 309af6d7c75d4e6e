import { applyToTree, revertTree } from '../../adapters/patches/engine.ts';
import type { Reverted } from '../../adapters/patches/engine.ts';
import { verifyTree } from '../../adapters/patches/verify.ts';
import { stateDifferences } from '../../core/patches/compare.ts';
import type { PatchDifference } from '../../core/patches/compare.ts';
import { stateOf } from '../../core/patches/state.ts';
import type { PatchState } from '../../core/patches/state.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { gitOptions, requireSeries } from './series.ts';
import type { PatchTarget } from './series.ts';
import { asTask } from '../task.ts';

/**
 * Patches a tree; does nothing where all is done.
 * @throws SuperOffloadError 'environment' naming patch, file, expected and found blob of everything that does not
 * apply, 'config' for a damaged series. The tree is as it was then.
 */
export async function applySeries(ctx: Context, target: PatchTarget): Promise<PatchState> {
  const title = `patch ${target.upstream}`;
  return asTask(ctx, { id: `patch-${target.upstream}`, title }, async ({ line }) => {
    const { series, selection } = await requireSeries(ctx, target);
    const request = { series, selection, facts: target.facts };
    return applyToTree(target.tree, request, { ...gitOptions(ctx), onStep: line });
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
  const task = { id: `patch-${upstream}`, title: `revert the patches of ${upstream}` };
  return asTask(ctx, task, ({ line }) => revert(line));
}

async function isStillPatched(tree: string, recorded: PatchState): Promise<boolean> {
  const count = recorded.files.length + recorded.overlay.length;
  return count > 0 && (await verifyTree(tree, recorded, new Map())).length < count;
}
