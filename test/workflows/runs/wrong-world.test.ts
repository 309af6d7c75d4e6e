import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { processesOfRun } from '../../../src/adapters/processes.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { samplePlan, sampleSystem } from '../../core/sample-plan.ts';
import { steps } from '../../e2e/shell-workloads.ts';

const home = mkdtempSync(join(tmpdir(), 'wrong-world-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});

const context: Context = {
  env: process.env,
  cwd: home,
  home,
  packageRoot: join(import.meta.dirname, '..', '..', '..'),
  emit: () => undefined,
  signal: new AbortController().signal,
  force: new AbortController().signal,
  now: Date.now,
};

/** A plan for two ranks whose launcher says how many it has started. */
function planOf(world: number): RunPlan {
  const launched = `echo '[2026-01-02 03:04:05,678] [INFO] [launch.py:170:main] dist_world_size=${world}'`;
  const system = sampleSystem({ accelerator: 'cpu', gpuGiB: null, hostGiB: null });
  return {
    ...samplePlan({ chips: 2, globalBatch: 16, steps: 600 }, { system, launcher: 'torchrun' }),
    command: ['sh', '-c', `${launched}; ${steps({ to: world === 2 ? 3 : 600, planned: 600, pause: 0.05 })}`],
    env: {},
    unset: [],
    port: null,
  };
}

describe('a run of another world than planned', () => {
  it('is stopped at once, and is a launch error', async () => {
    const startedMs = Date.now();
    const record = await runCase(context, planOf(1), { index: 1, total: 1 });
    expect(record.outcome).toMatchObject({
      class: 'launch_error',
      reason: 'it ran on 1 rank(s), 2 were planned',
    });
    expect(record.lastIteration ?? 0).toBeLessThan(600);
    expect(Date.now() - startedMs).toBeLessThan(20_000);
    expect(processesOfRun(record.runId)).toEqual([]);
  });

  it('one of the planned world goes on to its own end', async () => {
    const record = await runCase(context, planOf(2), { index: 1, total: 1 });
    expect(record.lastIteration).toBe(3);
    expect(record.outcome.class).not.toBe('launch_error');
  });
});
