import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { traceEnv } from '../../../src/core/plan/traced-step.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { finish, obedientSteps, steps } from '../../e2e/shell-workloads.ts';

const home = mkdtempSync(join(tmpdir(), 'timeline-run-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});

/** Runs a shell script as a run whose step is watched. @returns what it said besides */
async function run(
  script: string,
  step: number,
  change: Partial<RunPlan> = {},
): Promise<{ readonly record: RunRecord; readonly said: string }> {
  const said: string[] = [];
  const context: Context = {
    ...{
      env: process.env,
      cwd: home,
      home,
      packageRoot: join(import.meta.dirname, '../../..'),
      now: Date.now,
    },
    ...{ signal: new AbortController().signal, force: new AbortController().signal },
    emit: (event) => {
      if ('message' in event) said.push(event.message);
    },
  };
  const system = sampleSystem({ accelerator: 'cpu', hostGiB: null });
  const plan = planCommand({ command: ['sh', '-c', script], system, chips: 1, cwd: home, limits: {} });
  const traced = { ...plan, cwd: null, env: { ...plan.env, ...traceEnv(step) }, ...change };
  const record = await runCase(context, traced, { index: 1, total: 1 });
  return { record, said: said.join('\n') };
}

describe('a run with a timeline', () => {
  it('says where it is and what draws it, and keeps the watched step apart', async () => {
    const { record, said } = await run(`${steps({ to: 3 })}; echo {} >$SUPEROFFLOAD_TRACE; ${finish}`, 2);
    expect(record.traced).toEqual({ iteration: 2, stepMs: 20.2 });
    expect(record.stepMs).toEqual([20.1, 20.3]);
    expect(said).toContain(`${record.runId}/timeline.json; to draw it: superoffload figure timeline --from ${record.runId}`); // prettier-ignore
  });

  it('that ended before that step says that there is none', async () => {
    const { record, said } = await run(`${steps({ to: 1 })}; ${finish}`, 2);
    expect(record.traced).toEqual({ iteration: 2, stepMs: null });
    expect(said).toMatch(/has no timeline: it ended before step 2 was written/);
  });

  it('does not end as precise enough before that step', async () => {
    const { record } = await run(`${obedientSteps(90)}; ${finish}`, 60, { maxError: 0.5 });
    expect(record.exit.stoppedBy).toBe('converged');
    expect(record.lastIteration).toBeGreaterThanOrEqual(60);
    expect(record.lastIteration).toBeLessThan(90);
  });
});
