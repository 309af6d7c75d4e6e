import type { ExitEvidence } from '../../core/logs/events.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { Conditions } from '../../core/results/record.ts';

/** What was seen of the machine while a run lasted: its conditions, and evidence for how it ended. */
export interface Observation {
  readonly exit: Omit<ExitEvidence, 'exitCode' | 'signal' | 'stoppedBy'>;
  readonly conditions: Omit<Conditions, 'cpuAdamThreads'>;
  readonly memory: { readonly sampledHostGiB: number | null; readonly machineGiB: number | null };
}

/** What an end is held against. How many ranks a command of the user's starts, and on what, is its own affair. */
export function plannedEnd({ workload, steps, worldSize, system }: RunPlan) {
  const isOurs = workload !== 'command';
  return {
    hostLimitGiB: system.hostGiB,
    plannedIterations: steps,
    plannedWorldSize: isOurs ? worldSize : null,
    plannedAccelerator: isOurs ? system.accelerator : null,
  } as const;
}

/** Nobody looked at the machines: all is null but what was planned. */
export function unobserved(plan: RunPlan): Observation {
  return {
    exit: { oomKills: null, peakHostGiB: null, shmFreeBytes: null, ...plannedEnd(plan) },
    conditions: { loadAverageBefore: null, loadAverageAfter: null, runningTasksBefore: null, gpu: null },
    memory: { sampledHostGiB: null, machineGiB: null },
  };
}
