import { describe, expect, it } from 'vitest';
import { withPort } from '../../../src/core/plan/run-plan.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import { samplePlan, sampleSystem } from '../sample-plan.ts';

describe('withPort', () => {
  it.each(['python', 'torchrun', 'deepspeed'] as const)(
    'changes the port of %s and nothing else',
    (launcher) => {
      const plan = samplePlan({}, { launcher });
      const moved = withPort(plan, 40_001);
      expect(JSON.stringify(plan)).toContain('29517');
      expect(JSON.stringify(moved)).not.toContain('29517');
      expect(JSON.stringify(moved).replaceAll('40001', '29517')).toBe(JSON.stringify(plan));
    },
  );

  it('leaves a number that only looks like the port', () => {
    const plan = samplePlan({ seed: 29517 }, { launcher: 'torchrun' });
    expect(withPort(plan, 40_001).command).toContain('29517');
  });

  it('leaves a command of the user as it is', () => {
    const plan = planCommand({
      command: ['train', '--master_port=29500'],
      system: sampleSystem(),
      chips: 1,
      cwd: '/somewhere',
      limits: {},
    });
    expect(withPort(plan, 40_001)).toBe(plan);
  });
});

describe('planCommand', () => {
  const name = (command: readonly string[]): string =>
    planCommand({ command, system: sampleSystem(), chips: 2, cwd: '/c', limits: {} }).caseId;

  it.each([
    [['python', '-u', 'work/train.py', '--x', 'a/b'], 'throughput-command-train.py'],
    [['/usr/bin/env', 'x'], 'throughput-command-env'],
    [['./run it.sh'], 'throughput-command-run_it.sh'],
    [['日本'], 'throughput-command-__'],
    [['/'], 'throughput-command-unnamed'],
    [['x'.repeat(100)], `throughput-command-${'x'.repeat(40)}`],
  ])('names %j %s', (command, caseId) => {
    expect(name(command)).toBe(caseId);
  });
});
