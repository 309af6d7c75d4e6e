import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { applyToTree } from '../../../src/adapters/patches/engine.ts';
import { snapshot } from './git-tree.ts';
import { options } from './sample.ts';
import type { Sample } from './sample.ts';

/** Applies to a tree that does not fit. @returns the message, after checking that nothing at all was changed. */
export async function refusal({ tree, home, request }: Sample) {
  const [before, beside] = [snapshot(tree), readdirSync(home)];
  const error = await applyToTree(tree, request, options()).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string; hint: string },
  );
  expect(snapshot(tree)).toEqual(before);
  expect(readdirSync(home)).toEqual(beside);
  return { message: error?.message ?? 'applied', hint: error?.hint ?? '', code: error?.code };
}
