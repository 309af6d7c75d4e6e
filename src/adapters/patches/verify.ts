import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareFile, expectedOf } from '../../core/patches/compare.ts';
import type { PatchDifference } from '../../core/patches/compare.ts';
import type { PatchState } from '../../core/patches/state.ts';
import { patchPlaces, readRecord } from './record.ts';
import { readTreeFile, sha256Of, uncheckedBytecode } from './tree-files.ts';

/**
 * Reads every file that a state speaks of, whole.
 * @param upstream blob ids before patching, to tell "not patched" from "changed".
 * @returns every difference; none: the tree is what the state says.
 */
export async function verifyTree(
  given: string,
  state: PatchState,
  upstream: ReadonlyMap<string, string | null>,
): Promise<PatchDifference[]> {
  const places = patchPlaces(given);
  const record = await readRecord(places);
  const before = new Map([
    ...upstream,
    ...(record?.files ?? []).map(({ path, upstream: blob }) => [path, blob] as const),
  ]);
  const differences: PatchDifference[] = [];
  if (existsSync(places.journal)) {
    const problem = 'patching was interrupted: `superoffload patch` completes it';
    differences.push({ path: places.journal, problem, expected: null, found: null });
  }
  for (const expected of expectedOf(state, before)) {
    const found = await readTreeFile(places.tree, expected.path);
    const sha256 = found.kind === 'file' ? sha256Of(await readFile(join(places.tree, expected.path))) : null;
    const difference = compareFile(expected, found, sha256);
    if (difference !== null) differences.push(difference);
    for (const path of await uncheckedBytecode(places.tree, expected.path)) {
      const problem = 'Python would run this bytecode without a look at its source: remove it';
      differences.push({ path, problem, expected: null, found: null });
    }
  }
  return differences;
}
