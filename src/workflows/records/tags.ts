import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listCampaigns } from '../../adapters/campaign-store.ts';
import { listRunIds, runsFolder } from '../../adapters/run-store.ts';
import { listTags, readTag, removeTag, writeTag, type Tag } from '../../adapters/tag-store.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { isTagName, sourceWords, tagNameRule } from '../../core/results/tag-name.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { minIdChars, runIdsOf } from './resolve-source.ts';

export interface TagListing extends Omit<Tag, 'schemaVersion'> {
  /** Ids of runs that were removed since. */
  readonly gone: readonly string[];
}

/** All tags, by name. One that cannot be read must not hide all others. */
export async function listAllTags(context: Context): Promise<TagListing[]> {
  const there = new Set(await listRunIds(context.home));
  const listings: TagListing[] = [];
  for (const name of await listTags(context.home)) {
    try {
      const tag = await readTag(context.home, name);
      if (tag !== undefined) listings.push(listingOf(tag, there));
    } catch (error) {
      if (!(error instanceof SuperOffloadError)) throw error;
      context.emit({ type: 'note', message: error.message });
    }
  }
  return listings;
}

function listingOf({ name, runIds, writtenUtc }: Tag, there: ReadonlySet<string>): TagListing {
  return { name, runIds, writtenUtc, gone: runIds.filter((id) => !there.has(id)) };
}

export interface TagChange {
  readonly name: string;
  readonly runIds: readonly string[];
  /** What the name stood for before; null where it is new. */
  readonly before: readonly string[] | null;
  /** Runs without a result: in progress, or ended with the tool before there was one. */
  readonly unfinished: readonly string[];
}

/**
 * Lets a name stand for runs from now on, in place of what it stood for before.
 * @param sources runs, campaigns or tags of the state folder
 * @throws SuperOffloadError 'usage' for a name that cannot be one or that means something else already, and for sources
 * that are nothing of the kind.
 */
export async function tagRuns(
  context: Context,
  name: string,
  sources: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<TagChange> {
  const all = await listRunIds(context.home);
  await requireFreeName(context, name, all);
  const runIds = await runIdsOf(context, sources, all);
  const before = await readTag(context.home, name).catch(() => undefined);
  if (!dryRun) await writeTag(context.home, { schemaVersion: 1, name, runIds, writtenUtc: utcNow(context) });
  return { name, runIds, before: before?.runIds ?? null, unfinished: runIds.filter(isUnfinished(context)) };
}

function isUnfinished({ home }: Context): (runId: string) => boolean {
  return (runId) => !existsSync(join(runsFolder(home), runId, runFiles.record));
}

/** A tag is looked for before a campaign and before a part of an id: it must hide neither. */
async function requireFreeName({ home }: Context, name: string, runIds: readonly string[]): Promise<void> {
  const problem = await tagNameProblem(home, name, runIds);
  if (problem === null) return;
  throw new SuperOffloadError({
    code: 'usage',
    message: `a tag cannot be called ${JSON.stringify(name)}: ${problem}`,
    hint: 'choose another name, such as baseline or v1.2',
  });
}

/** @returns why runs cannot be tagged so; null where they can. */
export async function tagNameProblem(
  home: string,
  name: string,
  runIds: readonly string[],
): Promise<string | null> {
  if (!isTagName(name)) return `expected ${tagNameRule}`;
  if (sourceWords.includes(name)) return 'the word has a meaning of its own';
  // Shorter ones are no part of an id: nothing finds a run by them.
  const hidden =
    name.length < minIdChars ? undefined : runIds.find((id) => id.startsWith(name) || id.endsWith(name));
  if (hidden !== undefined) return `run ${hidden} begins or ends so`;
  return (await listCampaigns(home)).includes(name) ? 'a campaign is called so' : null;
}

/** @throws SuperOffloadError 'usage' where there is no such tag. */
export async function removeTags(
  { home }: Context,
  names: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<void> {
  const known = await listTags(home);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const near = nearest(unknown[0] ?? '', known);
    throw new SuperOffloadError({
      code: 'usage',
      message: `there is no tag ${unknown.map((name) => JSON.stringify(name)).join(', ')}`,
      hint: near === undefined ? 'see: superoffload runs tag --list' : `did you mean ${near}?`,
    });
  }
  if (dryRun) return;
  for (const name of names) await removeTag(home, name);
}
