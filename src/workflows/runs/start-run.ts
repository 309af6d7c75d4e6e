import type { RunFolder } from '../../adapters/run-store.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import type { Context } from '../context.ts';
import { HostsRun } from './hosts-run.ts';
import { LocalRun } from './local-run.ts';
import { OrphanRun } from './orphan-run.ts';
import { SlurmRun } from './slurm-run.ts';
import type { StartedRun } from './started-run.ts';

/** Starts a run where its plan says. @throws SuperOffloadError 'environment' where nothing could be started. */
export async function startRun(context: Context, folder: RunFolder, plan: RunPlan): Promise<StartedRun> {
  switch (plan.schedule?.scheduler) {
    case undefined:
      return LocalRun.start(context, folder);
    case 'hostfile':
      return HostsRun.start(context, folder, plan);
    case 'slurm':
      return SlurmRun.submit(context, folder, plan);
  }
}

/**
 * Takes hold of a run that another tool started and follows no more.
 * @returns null where nothing of it runs, or ever did.
 */
export async function attachStarted(
  context: Context,
  folder: RunFolder,
  plan: RunPlan,
  events: readonly RunEvent[],
): Promise<StartedRun | null> {
  switch (plan.schedule?.scheduler) {
    case undefined:
      return Promise.resolve(OrphanRun.find(context, folder, events));
    case 'hostfile':
      return HostsRun.attach(context, folder, plan, events);
    case 'slurm':
      return SlurmRun.attach(context, folder, plan, events);
  }
}
