import { join } from 'node:path';
import { conflictFault, conflictHint } from '../../core/patches/conflict-text.ts';
import { planApply } from '../../core/patches/decide.ts';
import type { Conflict, Found, TreePlan, Wanted } from '../../core/patches/decide.ts';
import { listsUpstream } from '../../core/patches/series.ts';
import type { PatchFacts, Selection } from '../../core/patches/series.ts';
import { faultsError } from '../../errors.ts';
import type { PatchPlaces, PatchRecord } from './record.ts';
import { readRecord } from './record.ts';
import type { SeriesFolder } from './series-folder.ts';
import { blobId, readTree, uncheckedBytecode } from './tree-files.ts';

/** What is to be applied. */
export interface SeriesRequest {
  readonly series: SeriesFolder;
  readonly selection: Selection;
  readonly facts: PatchFacts;
}

/** A tree, looked at with a series in mind. Nothing was changed. */
export interface Look {
  readonly wanted: readonly Wanted[];
  readonly found: ReadonlyMap<string, Found>;
  readonly record: PatchRecord | undefined;
  readonly plan: TreePlan;
}

export async function look(places: PatchPlaces, request: SeriesRequest): Promise<Look> {
  const wanted = request.selection.targets.map((target) => ({
    ...target,
    final: target.final ?? blobId(request.series.overlay.get(target.path) ?? Buffer.alloc(0)),
  }));
  const record = await readRecord(places);
  const recorded = record?.files ?? [];
  const found = await readTree(
    places.tree,
    [...wanted, ...recorded].map(({ path }) => path),
  );
  const isListed = listsUpstream(request.series.series, request.facts);
  return { wanted, found, record, plan: planApply(wanted, { recorded, found, isListed }) };
}

/** @throws SuperOffloadError 'environment' where Python would not look at a patched source. */
export async function refuseUnchecked(tree: string, paths: readonly string[]): Promise<void> {
  const unchecked = (await Promise.all(paths.map((path) => uncheckedBytecode(tree, path)))).flat();
  if (unchecked.length === 0) return;
  const problem = 'Python would run this bytecode without a look at the patched source';
  const faults = unchecked.map((path) => ({ place: join(tree, path), problem }));
  throw faultsError('environment', faults, 'remove these files: Python makes them anew');
}

/** Every conflict at once. */
export function conflictError(conflicts: readonly Conflict[], tree: string): Error {
  const faults = conflicts.map((conflict) => conflictFault(conflict, tree));
  return faultsError('environment', faults, conflictHint(conflicts));
}
