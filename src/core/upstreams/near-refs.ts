import { nearest } from '../experiment/nearest.ts';

const shownRefs = 3;

/** @returns up to three of the branches and tags of a remote that a misspelt name was most likely meant to be. */
export function nearRefs(wanted: string, known: readonly string[]): string[] {
  const short = wanted.replace(/^(refs\/(heads|tags|remotes)\/)?(origin\/)?/, '');
  const lower = short.toLowerCase();
  const meant = known.includes(short) ? short : nearest(short, known);
  const alike = known.filter((name) => {
    const other = name.toLowerCase();
    return other.includes(lower) || (other.length > 3 && lower.includes(other));
  });
  return [...new Set([...(meant === undefined ? [] : [meant]), ...alike])].slice(0, shownRefs);
}
