import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { MemoryNow } from './run-progress.ts';
import { unobserved, type Observation } from './observation.ts';
import { RunMonitor } from './run-monitor.ts';

/** Watches the machine of a run; what it cannot see is null, never a guess. */
export interface RunObserver {
  readonly start: () => Promise<void>;
  /** The newest figures, at no cost. */
  readonly memoryNow: () => MemoryNow;
  readonly stop: () => Promise<Observation>;
}

/** A run on this machine is watched from here; nodes of their own report for themselves (core/launch/node-report.ts). */
export function observerOf(
  plan: RunPlan,
  runId: string,
  env: Readonly<Record<string, string | undefined>>,
): RunObserver {
  return plan.schedule === undefined ? new RunMonitor(plan, runId, env) : blindObserver(plan);
}

/** Nothing is seen of the machines, as where a run's tool was another one. */
export function blindObserver(plan: RunPlan): RunObserver {
  return {
    start: () => Promise.resolve(),
    memoryNow: () => ({ hostGiB: null, gpuGiB: null }),
    stop: () => Promise.resolve(unobserved(plan)),
  };
}
