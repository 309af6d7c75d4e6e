import type { SlurmSchedule } from '../launch/schedule.ts';
import type { RunPlan } from '../plan/run-plan.ts';

/** What the scripts need of a plan that Slurm is to run. */
export type SlurmPlan = Pick<RunPlan, 'title' | 'env'> & { readonly schedule: SlurmSchedule };

/** @throws Error for a plan of another scheduler: a mistake of this program. */
export function slurmPlanOf({ title, env, schedule }: RunPlan): SlurmPlan {
  if (schedule?.scheduler !== 'slurm') throw new Error('a plan without a Slurm schedule');
  return { title, env, schedule };
}
