import { listRunIds } from '../../adapters/run-store.ts';
import { listTags, readTag, writeTag } from '../../adapters/tag-store.ts';
import { tagProblems, type ArchivedTag } from '../../core/archive/tags.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { tagNameProblem } from '../records/tags.ts';

/** What became of a tag of an archive. */
export interface ImportedTag extends ArchivedTag {
  /** `set`: it is new here. `there`: it stood for these runs already. `kept`: something here has the name. */
  readonly state: 'set' | 'there' | 'kept';
  /** Why it was not set; null where it was, or needed not to be. */
  readonly problem: string | null;
}

/** @returns the tags of these runs, each with those of them that it stands for, by name. */
export async function tagsOfRuns(
  context: Context,
  runIds: readonly string[],
): Promise<{ readonly tags: readonly ArchivedTag[]; readonly notes: readonly string[] }> {
  const chosen = new Set(runIds);
  const tags: ArchivedTag[] = [];
  const notes: string[] = [];
  for (const name of await listTags(context.home)) {
    try {
      const all = [...new Set((await readTag(context.home, name))?.runIds)];
      const carried = all.filter((runId) => chosen.has(runId)).sort();
      // A file that somebody laid there by hand: no import would take an archive with it.
      if (carried.length > 0 && tagProblems([{ name, runIds: carried }], chosen).length > 0) {
        notes.push(`tag ${JSON.stringify(name)} is not exported: no tag is called so`);
        continue;
      }
      if (carried.length > 0) tags.push({ name, runIds: carried });
      if (carried.length > 0 && carried.length < all.length) {
        notes.push(`tag ${name} stands for ${all.length - carried.length} more runs that are not exported`);
      }
    } catch (error) {
      if (!(error instanceof SuperOffloadError)) throw error;
      notes.push(`tag ${name} is not exported: ${error.message}`);
    }
  }
  return { tags: tags.sort((a, b) => (a.name < b.name ? -1 : 1)), notes };
}

/**
 * Gives the runs of an archive its tags. What is there is never changed: a name that means other runs here, a campaign or
 * a run stays what it is, and the tag of the archive is told with what sets it under another name.
 */
export async function takeTags(
  context: Context,
  tags: readonly ArchivedTag[],
  imported: readonly string[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<ImportedTag[]> {
  const all = [...new Set([...(await listRunIds(context.home)), ...imported])];
  const taken: ImportedTag[] = [];
  for (const tag of tags) {
    const fate = await fateOf(context, tag, all);
    if (fate.state === 'set' && !dryRun) {
      await writeTag(context.home, { schemaVersion: 1, ...tag, writtenUtc: utcNow(context) });
    }
    taken.push({ ...tag, ...fate });
  }
  return taken;
}

async function fateOf(
  context: Context,
  { name, runIds }: ArchivedTag,
  all: readonly string[],
): Promise<Pick<ImportedTag, 'state' | 'problem'>> {
  // By the file, and not by the list of names: where a file system takes `Base` and `base` for one, so is the tag.
  const here = await readTag(context.home, name).catch(() => null);
  if (here === null) return { state: 'kept', problem: 'a tag of that name here cannot be read' };
  if (here !== undefined) {
    const isSame = [...new Set(here.runIds)].sort().join(' ') === [...runIds].sort().join(' ');
    return isSame
      ? { state: 'there', problem: null }
      : { state: 'kept', problem: 'it stands for other runs here' };
  }
  const problem = await tagNameProblem(context.home, name, all);
  return problem === null ? { state: 'set', problem } : { state: 'kept', problem };
}
