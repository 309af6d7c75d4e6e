import { join } from 'node:path';
import { sourceState } from '../adapters/git.ts';
import { readJson } from '../adapters/files.ts';
import type { ToolIdentity } from '../core/results/record.ts';
import type { Context } from './context.ts';

let known: Promise<ToolIdentity> | undefined;

/** Which superoffload this is: the version, and in a clone the commit. Asked once a program run: the answer cannot change. */
export async function toolIdentity(context: Pick<Context, 'packageRoot'>): Promise<ToolIdentity> {
  known ??= askIdentity(context.packageRoot);
  return known;
}

async function askIdentity(packageRoot: string): Promise<ToolIdentity> {
  const [manifest, source] = await Promise.all([
    readJson(join(packageRoot, 'package.json')),
    sourceState(packageRoot),
  ]);
  const { version } = manifest as { readonly version: string };
  return { version, commit: source?.commit ?? null, dirty: source?.dirty ?? null };
}
