import type { StackLock } from '../stack/lock.ts';
import type { StackReference, UpstreamReference } from './run-plan.ts';

/**
 * A lock in short, as plans and records keep it.
 * @param drift how its files differ from what was installed, where the user allowed that: one line a difference.
 */
export function stackReference(lock: StackLock, drift: readonly string[] = []): StackReference {
  const upstreams = Object.entries(lock.upstreams).map(([name, upstream]): [string, UpstreamReference] => [
    name,
    {
      commit: upstream.commit,
      version: upstream.version,
      patches: upstream.patches?.applied.length ?? 0,
      dirty: upstream.dirtyDiffSha256 !== null,
    },
  ]);
  return {
    name: lock.name,
    hash: lock.hash,
    torch: lock.torch.version,
    deepspeed: lock.deepspeed.version,
    upstreams: Object.fromEntries(upstreams),
    apex: lock.apex?.kind ?? null,
    ...(drift.length === 0 ? {} : { drift }),
  };
}
