import type { Fault } from '../../errors.ts';
import type { Conflict } from './decide.ts';

/** One line a file: the patch, the file, the expected and the found blob, and why. */
export function conflictFault({ path, patch, expected, found, reason }: Conflict, tree: string): Fault {
  const who = patch ?? 'the series';
  const wants = expected === null ? 'no such file' : `blob ${expected}`;
  const has = found === null ? 'none' : `blob ${found}`;
  return { place: `${tree}/${path}`, problem: `${who} expects ${wants}, found ${has}: ${reason}` };
}

/** What to do next, each thing once. */
export function conflictHint(conflicts: readonly Conflict[]): string {
  return [...new Set(conflicts.map(({ hint }) => hint))].join('\n');
}
