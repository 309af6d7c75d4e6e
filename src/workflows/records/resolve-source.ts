import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readCampaign, readCampaignJournal } from '../../adapters/campaign-store.ts';
import { listRunIds, runsFolder } from '../../adapters/run-store.ts';
import { findRunId } from '../../adapters/stored-runs.ts';
import { readTag } from '../../adapters/tag-store.ts';
import { isCampaignName } from '../../core/campaign/campaign-file.ts';
import { statesOf, withVariants } from '../../core/campaign/state.ts';
import { isRunId, runFiles } from '../../core/results/run-files.ts';
import { isTagName } from '../../core/results/tag-name.ts';
import { faultsError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';

/** Where the results of a source lie. */
export type SourcePlace =
  /** Runs of the state folder, by their ids; `named` where the user meant this very run. */
  | { readonly kind: 'runs'; readonly runIds: readonly string[]; readonly named: boolean }
  /** Run folders anywhere, absolute. */
  | { readonly kind: 'folders'; readonly folders: readonly string[] }
  | { readonly kind: 'file'; readonly path: string };

export interface Resolved {
  readonly place: SourcePlace;
  /** What a person must know of how the name was understood. */
  readonly notes: readonly string[];
}

/** How a run's id may be cut; `findRunId` asks for as many. */
export const minIdChars = 4;

/**
 * Finds what a source names: `runs`, `last`, a run's id, a tag, a campaign, a file or folder, the beginning or the end of
 * a run's id, in this order; with a slash in it, or a dot first, a file or folder alone.
 * @param runIds of the state folder, all
 * @returns the fault where it names nothing, or a tag and a campaign at once.
 */
export async function resolveSource(
  context: Pick<Context, 'home' | 'cwd'>,
  source: string,
  runIds: readonly string[],
): Promise<Resolved | Fault> {
  const { home } = context;
  const path = resolve(context.cwd, source);
  if (source.includes('/') || source.startsWith('.')) {
    return (await pathPlace(path, source)) ?? { place: source, problem: 'there is no such file or folder' };
  }
  if (source === 'runs') return found({ kind: 'runs', runIds, named: false });
  if (source === 'last' && runIds.length > 0) return named(await findRunId(home, source));
  if (runIds.includes(source)) return named(source);
  const tag = isTagName(source) ? await readTag(home, source) : undefined;
  const campaign = isCampaignName(source) ? await campaignRuns(home, source) : undefined;
  if (tag !== undefined && campaign !== undefined) {
    const expected = `a name for one of them; superoffload runs tag --remove ${source}`;
    return { place: source, problem: 'it is a tag and a campaign', expected };
  }
  const runs = tag?.runIds ?? campaign;
  const onDisk = source === '' ? null : await pathPlace(path, source);
  if (runs !== undefined) {
    const which = tag === undefined ? 'campaign' : 'tag';
    const shadowed = onDisk === null ? [] : [`${source}: the ${which}, not ./${source}`];
    return found({ kind: 'runs', runIds: runs, named: false }, shadowed);
  }
  return onDisk ?? byPartOfId(context, source, runIds);
}

/**
 * @param all ids of all runs of the state folder
 * @returns the ids of the runs that sources of the state folder name, each once, in their order.
 * @throws SuperOffloadError 'usage' with every source that names no such runs.
 */
export async function runIdsOf(
  context: Pick<Context, 'home' | 'cwd'>,
  sources: readonly string[],
  all: readonly string[],
): Promise<string[]> {
  const faults: Fault[] = [];
  const runIds: string[] = [];
  for (const source of sources) {
    const resolved = await resolveSource(context, source, all);
    if ('problem' in resolved) faults.push(resolved);
    else if (resolved.place.kind === 'runs') runIds.push(...resolved.place.runIds);
    else {
      const problem = 'it is a file or folder, and not runs of the state folder';
      faults.push({ place: source, problem, expected: "a run's id or a part of it, a campaign or a tag" });
    }
  }
  if (faults.length > 0) throw faultsError('usage', faults, sourceHint);
  return [...new Set(runIds)];
}

export const sourceHint =
  'see: superoffload runs list, superoffload runs tag --list, superoffload campaign list; or name a file or folder';

function found(place: SourcePlace, notes: readonly string[] = []): Resolved {
  return { place, notes };
}

function named(runId: string): Resolved {
  return found({ kind: 'runs', runIds: [runId], named: true });
}

/** Runs of a campaign, taken-over ones included; undefined where there is no such campaign. */
async function campaignRuns(home: string, name: string): Promise<string[] | undefined> {
  const campaign = await readCampaign(home, name);
  if (campaign === undefined) return undefined;
  const states = statesOf(withVariants(campaign.cells, campaign.variants), readCampaignJournal(home, name));
  return states.flatMap(({ attempts }) => attempts.map(({ runId }) => runId));
}

/** @returns null where nothing lies there. */
async function pathPlace(path: string, source: string): Promise<Resolved | Fault | null> {
  const there = await stat(path).catch(() => null);
  if (there === null) return null;
  if (!there.isDirectory()) return found({ kind: 'file', path });
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.map(({ name }) => name);
  if (names.includes(runFiles.record) || names.includes(runFiles.plan)) {
    return found({ kind: 'folders', folders: [path] });
  }
  const folders = runFolders(path, names);
  if (folders.length > 0) return found({ kind: 'folders', folders });
  const stored = names.includes('runs') ? await listRunIds(path) : [];
  if (stored.length > 0) {
    return found({ kind: 'folders', folders: stored.map((runId) => join(runsFolder(path), runId)) });
  }
  // Copies by other names than the tool's own.
  const renamed = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  const withRecord = await filterAsync(renamed, hasRecord);
  if (withRecord.length > 0) return found({ kind: 'folders', folders: withRecord });
  return {
    place: source,
    problem: 'the folder holds no runs',
    expected: 'the folder of a run, a folder of such folders, or a state folder',
  };
}

function runFolders(path: string, names: readonly string[]): string[] {
  return names
    .filter(isRunId)
    .sort()
    .map((name) => join(path, name));
}

async function hasRecord(folder: string): Promise<boolean> {
  return (await stat(join(folder, runFiles.record)).catch(() => null)) !== null;
}

async function filterAsync<T>(values: readonly T[], test: (value: T) => Promise<boolean>): Promise<T[]> {
  const passed = await Promise.all(values.map(test));
  return values.filter((_, index) => passed[index] === true);
}

function byPartOfId(
  { home, cwd }: Pick<Context, 'home' | 'cwd'>,
  source: string,
  runIds: readonly string[],
): Resolved | Fault {
  const matches = runIds.filter((id) => id.startsWith(source) || id.endsWith(source));
  const [only] = matches;
  if (source.length >= minIdChars && only !== undefined && matches.length === 1) return named(only);
  if (source.length >= minIdChars && matches.length > 1) {
    const problem = `it stands for ${matches.length} runs: ${matches.slice(0, 3).join(', ')}`;
    return { place: source, problem, expected: 'more of the id' };
  }
  return {
    place: JSON.stringify(source),
    problem:
      `${runsFolder(home)} has no run whose id it is, or the beginning or the end of it; ` +
      `there is no tag and no campaign of that name, and no file or folder in ${cwd}`,
  };
}
