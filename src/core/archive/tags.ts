import { isRunId } from '../results/run-files.ts';
import { isTagName, sourceWords } from '../results/tag-name.ts';

/** A tag of runs that an archive holds. */
export interface ArchivedTag {
  readonly name: string;
  /** Of the archive's runs alone. */
  readonly runIds: readonly string[];
}

/** Of a hostile archive: each becomes a file. */
const maxTags = 1000;

/**
 * Checks the tags of a manifest; archives of before tags were carried have none.
 * @param runIds of the archive
 * @returns what is wrong, for a person
 */
export function tagProblems(value: unknown, runIds: ReadonlySet<string>): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return ['its tags are no list'];
  if (value.length > maxTags) return [`it has ${value.length} tags; ${maxTags} at most can be meant`];
  const names = new Set<string>();
  return value.flatMap((each: unknown, index) => {
    const { name, runIds: own } = (each ?? {}) as { readonly name?: unknown; readonly runIds?: unknown };
    const place = `tags[${index}]`;
    if (typeof name !== 'string' || !isTagName(name) || sourceWords.includes(name))
      return [`${place} has no name`];
    if (names.has(name)) return [`${place} is there twice`];
    names.add(name);
    if (!Array.isArray(own) || own.length === 0 || new Set(own).size !== own.length)
      return [`${place} has no runs`];
    const isListed = own.every((id) => typeof id === 'string' && isRunId(id) && runIds.has(id));
    return isListed ? [] : [`${place} stands for a run that is not listed`];
  });
}
