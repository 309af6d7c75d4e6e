import { describe, expect, it } from 'vitest';
import { runText } from '../../../src/cli/text/runs.ts';
import type { StackReference } from '../../../src/core/plan/run-plan.ts';
import type { LoadedRun } from '../../../src/workflows/runs/runs.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { goodLog, recordOf } from '../../core/sample-record.ts';

function shown(stack: StackReference): string {
  const plan = { ...samplePlan(), stack };
  const record = recordOf(goodLog(), { plan });
  const run: LoadedRun['run'] = {
    ...{ runId: record.runId, path: '/runs/x', plan, record, tool: null, environment: undefined, events: [] },
    ...{ livePids: [], watched: false, elsewhere: false },
  };
  return runText({ run, record });
}

const base = { name: 'pip', hash: 'abcdef0123456789', torch: '2.15.0', deepspeed: '0.19.8' };

describe('runs show', () => {
  it('says what ran: stack, commits, patches, apex and what had changed', () => {
    const commit = 'f2c70ad9db2fa8a210f17086ee9c201541e6d539';
    const text = shown({
      ...base,
      upstreams: {
        deepspeed: { commit: null, version: '0.19.8', patches: 1, dirty: false },
        megatron: { commit, version: null, patches: 12, dirty: true },
      },
      apex: 'overlay',
      drift: Array.from({ length: 22 }, (_, index) => `megatron/file${index}.py: missing (expected it)`),
    });
    expect(text).toMatch(/^stack +pip: torch 2\.15\.0, DeepSpeed 0\.19\.8, lock abcdef012345$/m);
    expect(text).toMatch(/^deepspeed +version 0\.19\.8, 1 patch$/m);
    expect(text).toMatch(/^megatron +commit f2c70ad9db2f, 12 patches, with local changes$/m);
    expect(text).toMatch(/^apex +overlay$/m);
    expect(text.match(/^drift /gm)).toHaveLength(21);
    expect(text).toMatch(/^drift +\.\.\. and 2 more, see --json$/m);
  });

  it('shows a record of an older version, which has only versions and the hash', () => {
    const text = shown(base);
    expect(text).toMatch(/^stack +pip: /m);
    expect(text).not.toMatch(/^(megatron|apex|drift) /m);
  });
});
