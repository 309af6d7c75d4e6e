import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/core/experiment/case-id.ts';
import { identityOf } from '../../../src/core/gate/ab/identity.ts';
import { withPort, type RunPlan } from '../../../src/core/plan/run-plan.ts';
import { samplePlan } from '../sample-plan.ts';

const plan = samplePlan();
const identity = (change: Partial<RunPlan> = {}, env: Readonly<Record<string, string>> = {}): string =>
  canonicalJson(identityOf({ plan: { ...plan, ...change }, env }));

describe('what an A/B goes on with', () => {
  it('does not hang on the shell that calls it', () => {
    expect(identity({ env: { ...plan.env, PATH: '/another/bin', MASTER_PORT: '1' } })).toBe(identity());
    expect(identity({ unset: [...plan.unset, 'CUDA_HOME'] })).toBe(identity());
    expect(identity(withPort(plan, 40_123))).toBe(identity());
    expect(identity({ system: { ...plan.system, hostGiB: 1 } })).toBe(identity());
    expect(identity({ title: 'another' })).toBe(identity());
  });

  it('hangs on case, JSON, stack, settings, machine and launcher', () => {
    const others = [
      identity({ caseId: 'another' }),
      identity({ files: { ...plan.files, 'ds_config.json': '{}' } }),
      identity({ stack: { ...plan.stack!, hash: 'b' } }),
      identity({}, { OMP_NUM_THREADS: '8' }),
      identity({ steps: 7 }),
      identity({ system: { ...plan.system, name: 'another' } }),
      identity({ command: ['torchrun', ...plan.command] }),
    ];
    expect(new Set([identity(), ...others]).size).toBe(others.length + 1);
  });
});
