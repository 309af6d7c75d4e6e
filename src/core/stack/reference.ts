/** What a run's plan and record keep of the stack that ran it. */
import type { StackReference, UpstreamReference } from '../plan/run-plan.ts';
import { upstreamNames, type UpstreamName } from '../upstreams/upstream.ts';
import { quoteWord } from '../launch/quote.ts';
import type { StackRequest } from './lock.ts';

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

/**
 * @param request of the stack that has this name now: which Python it stands on, and where its sources came from.
 * @returns what makes the stack of a run again, as far as its plan knows it.
 */
export function installCommand(
  { name, torch, deepspeed, upstreams = {}, apex }: StackReference,
  request?: Partial<StackRequest>,
): string {
  const flags = (flag: string, values: Readonly<Partial<Record<UpstreamName, string>>>): string[] =>
    Object.entries(values).map(([upstream, value]) => `${flag} ${quoteWord(`${upstream}=${value}`)}`);
  const refs: Partial<Record<UpstreamName, string>> = {};
  for (const upstream of upstreamNames) {
    const commit = upstreams[upstream]?.commit ?? null;
    if (commit !== null) refs[upstream] = commit;
  }
  const python = request?.python ?? null;
  // torch of an adopted Python is the one that it has.
  const versions = [
    ...(python === null ? [`--torch ${torch.split('+')[0] ?? ''}`] : []),
    ...(refs.deepspeed === undefined && python === null ? [`--deepspeed ${deepspeed}`] : []),
  ];
  return [
    `superoffload install --stack ${quoteWord(name)}`,
    ...(name !== 'fork' && upstreams.megatron !== undefined ? ['--with megatron'] : []),
    ...(python === null ? [] : [`--python ${quoteWord(python)}`]),
    ...(request?.overlay === true ? ['--overlay'] : []),
    ...versions,
    ...flags('--source', request?.sources ?? {}),
    ...flags('--ref', refs),
    ...(apex === null || apex === undefined ? [] : [`--apex ${apex}`]),
    '--reinstall',
  ].join(' ');
}
