import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import type { Planning } from '../../../src/workflows/plan/planning.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A state folder of its own, and what was told. */
export function contextOf(signal = new AbortController().signal): {
  readonly context: Context;
  readonly events: ProgressEvent[];
} {
  const home = mkdtempSync(join(tmpdir(), 'frontier-'));
  folders.push(home);
  const events: ProgressEvent[] = [];
  const context: Context = {
    env: process.env,
    cwd: home,
    home,
    packageRoot: join(import.meta.dirname, '..', '..', '..'),
    emit: (event) => events.push(event),
    signal,
    force: new AbortController().signal,
    now: Date.now,
  };
  return { context, events };
}

/** How a real process that stands in for training ends. */
export const endings = {
  runs: `${steps({ to: 3 })}; ${finish}`,
  /** Ten times as slow. */
  runsSlowly: `${steps({ to: 3 }).replaceAll('20.%d', '200.%d')}; ${finish}`,
  gpu: "echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'; exit 1",
  host: 'echo "RuntimeError: [enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can\'t allocate memory"; exit 1',
  crash: "echo 'Traceback (most recent call last):'; echo 'ValueError: broken'; exit 1",
} as const;
export type Ending = keyof typeof endings;

/** Plans cases as shell programs; the machine is an H200 of the formulas. */
export function shellPlanning(endOf: (subject: Case) => Ending, hash = 'abc123'): Planning {
  const system = sampleSystem();
  const planOf = (subject: Case): RunPlan => {
    const command = ['sh', '-c', endings[endOf(subject)]];
    return {
      ...planCommand({ command, system, chips: 1, cwd: tmpdir(), limits: {} }),
      caseId: caseIdOf(subject),
      title: caseIdOf(subject),
      workload: 'builtin',
      case: subject,
      steps: 3,
      stack: { name: 'pip', hash, torch: '2.15.0', deepspeed: '0.19.8' },
      files: { 'ds_config.json': '{}' },
    };
  };
  const planning: Pick<Planning, 'system' | 'planCases' | 'ready'> = {
    system,
    planCases: (cases) => ({ plans: cases.map(planOf), notes: [] }),
    ready: (plans) => Promise.resolve({ plans, notes: [] }),
  };
  return planning as Planning;
}
