import { hasSuperOffloadKey } from '../../adapters/stack/deepspeed-source.ts';
import { loadStack } from '../../adapters/stack/store.ts';
import type { BuildOptions } from '../../core/deepspeed/build-config.ts';
import { superOffloadSwitch } from '../../core/deepspeed/super-offload.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { Context } from '../context.ts';

/** The DeepSpeed that a plan without a stack is checked against: the newest that is known. */
export const assumedDeepspeed = '0.19.8';

/**
 * What the DeepSpeed of a stack needs of a JSON. One with a commit was installed from a repository, and its source
 * tree is asked; one of the package index is known by its version.
 * @throws SuperOffloadError 'install' for a damaged lock, 'environment' where the source tree cannot be read.
 */
export async function installedDeepspeed(context: Context, stackName: string): Promise<BuildOptions> {
  const stack = await loadStack(context.home, stackName);
  const deepspeedVersion = stack?.deepspeed.version ?? assumedDeepspeed;
  return { deepspeedVersion, superOffload: superOffloadSwitch(deepspeedVersion, await sourceOf(stack)) };
}

async function sourceOf(stack: StackLock | undefined): Promise<{ readonly hasKey: boolean } | null> {
  const source = stack?.upstreams.deepspeed;
  if (source === undefined || source.commit === null) return null;
  return { hasKey: await hasSuperOffloadKey(source.directory) };
}
