import { describe, expect, it } from 'vitest';
import type { StackReference, UpstreamReference } from '../../../src/core/plan/run-plan.ts';
import {
  describeReferenceChange,
  describeUpstream,
  installCommand,
} from '../../../src/core/stack/reference.ts';

const at = (commit: string, change: Partial<UpstreamReference> = {}): UpstreamReference => ({
  ...{ commit, version: null, patches: 3, dirty: false },
  ...change,
});
const pip: StackReference = { name: 'pip', hash: 'h', torch: '2.15.0+cu132', deepspeed: '0.19.8' };
const fork: StackReference = {
  ...pip,
  ...{ name: 'fork', deepspeed: '0.17.7+abc', apex: 'build' },
  upstreams: { deepspeed: at('d'.repeat(40)), megatron: at('e'.repeat(40)) },
};

describe('the command that makes the stack of a run again', () => {
  it.each([
    ['of an older record', pip, undefined, '--stack pip --torch 2.15.0 --deepspeed 0.19.8 --reinstall'],
    [
      'with Megatron on the packaged DeepSpeed, which a patch changed',
      {
        ...pip,
        upstreams: {
          deepspeed: { commit: null, version: '0.19.8', patches: 1, dirty: false },
          megatron: at('e'.repeat(40)),
        },
        apex: 'overlay',
      },
      undefined,
      `--stack pip --with megatron --torch 2.15.0 --deepspeed 0.19.8 --ref megatron=${'e'.repeat(40)} --apex overlay --reinstall`,
    ],
    [
      'of the fork, whose DeepSpeed has a commit and no release',
      fork,
      undefined,
      `--stack fork --torch 2.15.0 --ref deepspeed=${'d'.repeat(40)} --ref megatron=${'e'.repeat(40)} --apex build --reinstall`,
    ],
    [
      'over an adopted Python, whose torch is not installed, from the same sources',
      { ...pip, upstreams: { megatron: at('e'.repeat(40)) }, apex: null },
      { python: '/opt/my python', overlay: true, sources: { megatron: '/mirrors/megatron' } },
      "--stack pip --with megatron --python '/opt/my python' --overlay --source megatron=/mirrors/megatron " +
        `--ref megatron=${'e'.repeat(40)} --reinstall`,
    ],
  ] as const)('%s', (_, reference, request, expected) => {
    expect(installCommand(reference, request)).toBe(`superoffload install ${expected}`);
  });
});

describe('how a stack differs from that of a run', () => {
  it('says nothing for the same hash, whatever else a plan kept', () => {
    expect(describeReferenceChange(pip, { ...fork, hash: 'h' })).toEqual([]);
  });

  it('names what the plan knows, and else says that it holds only the hash', () => {
    expect(describeReferenceChange(fork, { ...fork, hash: 'x', apex: 'overlay' })).toEqual([
      'apex: now overlay, then build',
    ]);
    const megatron = at('e'.repeat(40), { dirty: true, patches: 1 });
    expect(
      describeReferenceChange(fork, { ...fork, hash: 'x', upstreams: { ...fork.upstreams, megatron } }),
    ).toEqual([
      'megatron: now commit eeeeeeeeeeee, 1 patch, with local changes, then commit eeeeeeeeeeee, 3 patches',
    ]);
    expect(describeReferenceChange(pip, { ...pip, hash: 'x' })).toEqual([
      expect.stringContaining('only the hash'),
    ]);
    expect(describeUpstream(at('f'.repeat(40), { patches: 0 }))).toBe('commit ffffffffffff, unpatched');
  });
});
