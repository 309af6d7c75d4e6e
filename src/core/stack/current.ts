/** Is an installed stack still the right one? */
import type { MachineFacts } from '../machine/facts.ts';
import { versionOrder } from './version.ts';
import type { StackLock, StackRequest, UpstreamLock } from './lock.ts';
import type { UpstreamChoice } from '../upstreams/choice.ts';
import { upstreamNames, type UpstreamName } from '../upstreams/upstream.ts';

/**
 * @returns what differs between the installed stack and what is asked for; a flag that was not given asks for nothing.
 * Replacing gigabytes is left to --reinstall.
 */
export function describeConflict(
  lock: StackLock,
  request: StackRequest,
): { readonly message: string; readonly hint: string } | undefined {
  const differences = [
    differs(request.torch, lock.torch.version)
      ? `torch ${lock.torch.version}, not ${request.torch ?? ''}`
      : '',
    differs(request.deepspeed, lock.deepspeed.version)
      ? `DeepSpeed ${lock.deepspeed.version}, not ${request.deepspeed ?? ''}`
      : '',
    request.python !== null && request.python !== lock.request.python
      ? `${lock.origin === 'private' ? 'its own Python' : `Python ${lock.request.python ?? ''}`}, not ${request.python}`
      : '',
    request.python !== null && request.overlay !== lock.request.overlay
      ? `${lock.request.overlay ? 'an' : 'no'} overlay`
      : '',
  ].filter((text) => text !== '');
  if (differences.length === 0) return undefined;
  return {
    message: `stack ${lock.name} is installed with ${differences.join('; ')}`,
    hint: 'to replace it, add --reinstall; to use it as it is, leave the flag out',
  };
}

function differs(wanted: string | null, actual: string): boolean {
  return wanted !== null && versionOrder(wanted, actual) !== 0;
}

/** False after a move to another CPU (the ops are -march=native) or when a GPU came or went. */
export function isCurrent(lock: StackLock, machine: MachineFacts, accelerator: 'cuda' | 'cpu'): boolean {
  return lock.accelerator === accelerator && lock.ops.key.split('-').includes(machine.cpu.isa);
}

/** What a fetch of a repository on this machine leaves. */
export type SourceIdentity = Pick<UpstreamLock, 'dirtyDiffSha256'> & {
  /** Absolute path. */
  readonly url: string;
  readonly commit: string;
};

/**
 * Is what lies in the stack what would be fetched and patched today? A remote is not asked: a branch that has moved
 * is fetched by --reinstall.
 * @param series sha256 of the series of each upstream, as this superoffload has them.
 * @param local what each repository on this machine is now: it may have been edited since.
 */
export function areSourcesCurrent(
  lock: Pick<StackLock, 'upstreams' | 'apex'>,
  choices: readonly UpstreamChoice[],
  series: Readonly<Partial<Record<UpstreamName, string>>>,
  local: Readonly<Partial<Record<UpstreamName, SourceIdentity>>> = {},
): boolean {
  const isCommitCurrent = choices.every(({ name, source, commit, ref }) => {
    const there = lock.upstreams[name];
    // Apex is fetched only where it may be built.
    if (there === undefined) return name === 'apex' && lock.apex?.kind === 'overlay';
    const now = local[name];
    if (source.kind === 'path') {
      return (
        there.url === now?.url && there.commit === now.commit && there.dirtyDiffSha256 === now.dirtyDiffSha256
      );
    }
    if (there.url !== source.shown) return false;
    return commit === null ? there.ref === ref.name : there.commit === commit;
  });
  const isPatchedAsNow = upstreamNames.every((name) => {
    const patches = lock.upstreams[name]?.patches ?? null;
    return patches === null || patches.seriesSha256 === series[name];
  });
  return isCommitCurrent && isPatchedAsNow;
}
