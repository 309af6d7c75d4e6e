import { rehearse } from '../../adapters/patches/engine.ts';
import type { Look } from '../../adapters/patches/look.ts';
import { patchProgress } from '../../core/patches/compare.ts';
import type { Conflict } from '../../core/patches/decide.ts';
import type { SeriesPatch } from '../../core/patches/series.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import type { Context } from '../context.ts';
import { gitOptions, requireSeries } from './series.ts';
import type { PatchTarget } from './series.ts';

/** What `patch --list` and `--check` say of one upstream. */
export interface SeriesReport {
  readonly upstream: UpstreamName;
  readonly tree: string;
  readonly title: string;
  /** `ready`: it is not applied, and would apply. */
  readonly status: 'applied' | 'ready' | 'blocked';
  readonly patches: readonly PatchReport[];
  readonly overlay: readonly OverlayReport[];
  readonly conflicts: readonly Conflict[];
}

type PatchProgress = 'applied' | 'not applied' | 'changed' | 'skipped';

interface PatchReport extends Pick<SeriesPatch, 'file' | 'title' | 'reason' | 'thread'> {
  readonly state: PatchProgress;
  /** Why it is skipped; null for one that is not. */
  readonly why: string | null;
}

interface OverlayReport {
  readonly path: string;
  readonly reason: string;
  readonly state: PatchProgress;
  readonly why: string | null;
}

/**
 * Says how far each patch is, and what applying would do: every patch is tried on copies, the tree is not touched.
 * @throws SuperOffloadError 'config' for a damaged series.
 */
export async function checkSeries(ctx: Context, target: PatchTarget): Promise<SeriesReport> {
  const { series, selection } = await requireSeries(ctx, target);
  const request = { series, selection, facts: target.facts };
  const seen = await rehearse(target.tree, request, gitOptions(ctx));
  const skipped = new Map(selection.skipped.map(({ file, reason }) => [file, reason]));
  const progress = (name: string, paths: readonly string[]) => {
    const why = skipped.get(name) ?? null;
    return { state: why === null ? progressOf(seen, paths) : ('skipped' as const), why };
  };
  return {
    ...{ upstream: target.upstream, tree: target.tree, title: series.series.title, status: seen.plan.status },
    patches: series.series.patches.map(({ file, title, reason, thread, files }) => ({
      ...{ file, title, reason, thread },
      ...progress(
        file,
        files.map(({ path }) => path),
      ),
    })),
    overlay: series.series.overlay.map(({ path, reason }) => ({ path, reason, ...progress(path, [path]) })),
    conflicts: seen.plan.status === 'blocked' ? seen.plan.conflicts : [],
  };
}

function progressOf({ wanted, found }: Look, paths: readonly string[]) {
  return patchProgress(
    wanted
      .filter(({ path }) => paths.includes(path))
      .map((file) => ({ ...file, found: found.get(file.path) ?? { kind: 'absent' } })),
  );
}
