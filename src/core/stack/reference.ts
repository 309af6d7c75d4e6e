/** What a run's plan and record keep of the stack that ran it. */
import type { StackReference, UpstreamReference } from '../plan/run-plan.ts';
import { upstreamNames, type UpstreamName } from '../upstreams/upstream.ts';
import type { StackLock } from './lock.ts';

/** @param drift differences from what was installed, where the user allowed them. */
export function stackReference(lock: StackLock, drift: readonly string[]): StackReference {
  const { name, hash, torch, deepspeed, apex } = lock;
  const upstreams: Partial<Record<UpstreamName, UpstreamReference>> = {};
  for (const upstream of upstreamNames) {
    const each = lock.upstreams[upstream];
    if (each === undefined) continue;
    const { commit, version, patches, dirtyDiffSha256 } = each;
    const [count, dirty] = [patches?.applied.length ?? 0, dirtyDiffSha256 !== null];
    upstreams[upstream] = { commit, version, patches: count, dirty };
  }
  return {
    ...{ name, hash, torch: torch.version, deepspeed: deepspeed.version },
    ...{ upstreams, apex: apex?.kind ?? null, drift },
  };
}

/** Where an upstream stood, and what was changed in it. */
export function describeUpstream({ commit, version, patches, dirty }: UpstreamReference): string {
  const where = commit === null ? `version ${version ?? 'unknown'}` : `commit ${commit.slice(0, 12)}`;
  const patched = patches === 0 ? 'unpatched' : `${patches} patch${patches === 1 ? '' : 'es'}`;
  return `${where}, ${patched}${dirty ? ', with local changes' : ''}`;
}

/**
 * @param now the reference that the stack would give today.
 * @returns how a stack differs from that of a run, as far as the run's plan knows it; empty when the hashes agree.
 */
export function describeReferenceChange(then: StackReference, now: StackReference): string[] {
  if (then.hash === now.hash) return [];
  const text = (reference: StackReference, name: UpstreamName): string => {
    const upstream = reference.upstreams?.[name];
    return upstream === undefined ? 'none' : describeUpstream(upstream);
  };
  const changes = [
    ...change('torch', then.torch, now.torch),
    ...change('DeepSpeed', then.deepspeed, now.deepspeed),
    ...upstreamNames.flatMap((name) => change(name, text(then, name), text(now, name))),
    ...change('apex', then.apex ?? 'none', now.apex ?? 'none'),
  ];
  return changes.length > 0
    ? changes
    : ['other packages, patches, op flags or environment: of these a plan holds only the hash'];
}

function change(what: string, then: string, now: string): string[] {
  return then === now ? [] : [`${what}: now ${now}, then ${then}`];
}

/** @returns what makes the stack of a run again, as far as its plan knows it. */
export function installCommand({ name, torch, deepspeed, upstreams = {}, apex }: StackReference): string {
  const refs = upstreamNames.flatMap((upstream) => {
    const commit = upstreams[upstream]?.commit ?? null;
    return commit === null ? [] : [`--ref ${upstream}=${commit}`];
  });
  const hasMegatron = name !== 'fork' && upstreams.megatron !== undefined;
  const isFromSource = typeof upstreams.deepspeed?.commit === 'string';
  return [
    `superoffload install --stack ${name}`,
    ...(hasMegatron ? ['--with megatron'] : []),
    `--torch ${torch.split('+')[0] ?? ''}`,
    ...(isFromSource ? [] : [`--deepspeed ${deepspeed}`]),
    ...refs,
    ...(apex === null || apex === undefined ? [] : [`--apex ${apex}`]),
    '--reinstall',
  ].join(' ');
}
