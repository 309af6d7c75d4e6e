import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planRevert } from '../../core/patches/decide.ts';
import type { PlannedFile } from '../../core/patches/decide.ts';
import { stateOf } from '../../core/patches/state.ts';
import type { PatchState } from '../../core/patches/state.ts';
import { writeJsonAtomic, withFileErrors } from '../files.ts';
import { buildImages } from './images.ts';
import type { GitOptions } from './images.ts';
import { carryOut, writeImage } from './journal.ts';
import type { OnStep } from './journal.ts';
import { conflictError, look, refuseUnchecked } from './look.ts';
import type { Look, SeriesRequest } from './look.ts';
import { basesOf, foldersMade, inOperation, stage } from './operation.ts';
import { patchPlaces, readRecord } from './record.ts';
import type { PatchPlaces } from './record.ts';
import { sweep, withTurn } from './turn.ts';
import { readTree } from './tree-files.ts';

export interface EngineOptions extends GitOptions {
  readonly onStep: OnStep;
}

/**
 * Brings a tree to the state that a series asks for, whatever earlier series it has, whole or not at all: a kill at
 * any moment leaves a tree that the next call completes or puts back. Does nothing where all is done.
 * @throws SuperOffloadError 'environment' naming patch, file, expected and found blob of every conflict, or the disk's
 * trouble; 'config' for a series that contradicts itself. The tree is as it was then.
 */
export async function applyToTree(
  given: string,
  request: SeriesRequest,
  options: EngineOptions,
): Promise<PatchState> {
  const places = patchPlaces(given);
  const state = stateOf(request.series.sha256, request.selection);
  return withTurn(places, options, async () => {
    const seen = await look(places, request);
    const { plan, record } = seen;
    if (plan.status === 'blocked') throw conflictError(plan.conflicts, places.tree);
    if (plan.status === 'ready') await applyPlan(places, { request, seen, state }, plan.files, options);
    // The series was reworded, or its conditions were: the files are the same.
    else if (record !== undefined && JSON.stringify(record.state) !== JSON.stringify(state)) {
      await writeJsonAtomic(places.record, { ...record, state });
    }
    return state;
  });
}

async function applyPlan(
  places: PatchPlaces,
  work: { readonly request: SeriesRequest; readonly seen: Look; readonly state: PatchState },
  files: readonly PlannedFile[],
  options: EngineOptions,
): Promise<void> {
  const { request, seen, state } = work;
  await refuseUnchecked(
    places.tree,
    files.map(({ path }) => path),
  );
  await inOperation(places, async (operation) => {
    const bases = await basesOf(places, seen.record, files);
    const wanted = new Set(seen.wanted.map(({ path }) => path));
    const chosen = new Map([...bases].filter(([path]) => wanted.has(path)));
    const folder = join(operation.folder, 'scratch');
    const images = await buildImages(request, { bases: chosen, folder }, options);
    await withFileErrors(folder, () => rm(folder, { recursive: true, force: true }));
    for (const [path, { bytes, mode }] of chosen) {
      await writeImage(join(operation.folder, 'upstream', path), bytes, mode);
    }
    const entries = await stage(places.tree, operation, files, (path) => images.get(path) ?? bases.get(path));
    const makes = await foldersMade(places.tree, entries);
    const drops = seen.record?.folders ?? [];
    options.signal.throwIfAborted();
    const record = {
      ...({ schemaVersion: 1, backup: operation.name, state } as const),
      files: seen.wanted.map(({ path, upstream, final }) => ({ path, upstream, blob: final })),
      folders: [...new Set([...drops, ...makes])].sort(),
    };
    const journal = { schemaVersion: 1, operation: operation.name, entries, makes, drops, record } as const;
    await carryOut(places, journal, options.onStep);
  });
  await sweep(places);
}

/**
 * Says what {@link applyToTree} would do, after trying every patch on copies in the system's temporary folder.
 * @throws SuperOffloadError 'config' for a series that contradicts itself.
 */
export async function rehearse(given: string, request: SeriesRequest, options: GitOptions): Promise<Look> {
  const places = patchPlaces(given);
  const seen = await look(places, request);
  if (seen.plan.status !== 'ready') return seen;
  const wanted = new Set(seen.wanted.map(({ path }) => path));
  const bases = await basesOf(
    places,
    seen.record,
    seen.plan.files.filter(({ path }) => wanted.has(path)),
  );
  const folder = await withFileErrors(tmpdir(), () => mkdtemp(join(tmpdir(), 'superoffload-patch-')));
  try {
    await buildImages(request, { bases, folder: join(folder, 'scratch') }, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return seen;
}

/** What a revert did, or would do. */
export interface Reverted {
  /** Upstream files that have their own content again. */
  readonly restored: readonly string[];
  /** Files of ours that are gone. */
  readonly removed: readonly string[];
}

/**
 * Puts the upstream's files back and removes ours. Does nothing to a tree without a record.
 * @throws SuperOffloadError 'environment' where a file was changed after it was patched. The tree is as it was then.
 */
export async function revertTree(
  given: string,
  { isDryRun, ...options }: EngineOptions & { readonly isDryRun: boolean },
): Promise<Reverted> {
  const places = patchPlaces(given);
  const work = async (): Promise<Reverted> => {
    const record = await readRecord(places);
    const recorded = record?.files ?? [];
    const found = await readTree(
      places.tree,
      recorded.map(({ path }) => path),
    );
    const plan = planRevert({ recorded, found, isListed: true });
    if (plan.status === 'blocked') throw conflictError(plan.conflicts, places.tree);
    const files = plan.status === 'ready' ? plan.files.filter(({ from, to }) => from !== to) : [];
    if (record === undefined || isDryRun) return revertedOf(files);
    await inOperation(places, async (operation) => {
      const bases = await basesOf(places, record, files);
      const entries = await stage(places.tree, operation, files, (path) => bases.get(path));
      const makes = await foldersMade(places.tree, entries);
      const rest = { makes, drops: record.folders, record: null };
      await carryOut(
        places,
        { schemaVersion: 1, operation: operation.name, entries, ...rest },
        options.onStep,
      );
    });
    await sweep(places);
    return revertedOf(files);
  };
  return isDryRun ? work() : withTurn(places, options, work);
}

function revertedOf(files: readonly PlannedFile[]): Reverted {
  return {
    restored: files.filter(({ to }) => to !== null).map(({ path }) => path),
    removed: files.filter(({ to }) => to === null).map(({ path }) => path),
  };
}
