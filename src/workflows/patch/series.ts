import { join } from 'node:path';
import { readSeries } from '../../adapters/patches/series-folder.ts';
import type { SeriesFolder } from '../../adapters/patches/series-folder.ts';
import { isSeriesFor, knownVersions, listsUpstream, selectPatches } from '../../core/patches/series.ts';
import type { PatchFacts, Selection } from '../../core/patches/series.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** A tree and the series that is for it. */
export interface PatchTarget {
  readonly upstream: UpstreamName;
  /** What the paths of the series are relative to: a work tree, or a folder of installed packages. */
  readonly tree: string;
  readonly facts: PatchFacts;
}

/**
 * Is there a series for this upstream? `listed`: made for exactly this commit or version; `unlisted`: for another
 * one, so that it applies only where the patched files are the same. With the versions that it is made for, in words.
 * @throws SuperOffloadError 'config' for a damaged series.
 */
export async function seriesFit(
  ctx: Pick<Context, 'packageRoot'>,
  upstream: UpstreamName,
  facts: PatchFacts,
): Promise<{ readonly fit: 'listed' | 'unlisted' | 'none'; readonly versions: string }> {
  const found = await readSeries(join(ctx.packageRoot, 'patches', upstream));
  if (found === undefined) return { fit: 'none', versions: '' };
  const versions = knownVersions(found.series);
  if (!isSeriesFor(found.series, facts)) return { fit: 'none', versions };
  return { fit: listsUpstream(found.series, facts) ? 'listed' : 'unlisted', versions };
}

/** @throws SuperOffloadError 'config' where there is none, or where it is damaged. */
export async function requireSeries(
  ctx: Pick<Context, 'packageRoot'>,
  { upstream, facts }: PatchTarget,
): Promise<{ readonly series: SeriesFolder; readonly selection: Selection }> {
  const series = await readSeries(join(ctx.packageRoot, 'patches', upstream));
  if (series === undefined || !isSeriesFor(series.series, facts)) {
    const kind = facts.commit === null ? 'the package' : 'the repository';
    throw new SuperOffloadError({
      ...{ code: 'config', message: `there is no patch series for ${kind} of ${upstream}` },
      hint: 'superoffload patch --list shows the series there are',
    });
  }
  const selected = selectPatches(series.series, facts, series.place);
  if (!selected.ok) throw faultsError('config', selected.faults);
  return { series, selection: selected.selection };
}

export function gitOptions(ctx: Context) {
  return { signal: ctx.signal, path: ctx.env['PATH'] };
}
