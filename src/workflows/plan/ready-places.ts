import { runsFolder } from '../../adapters/run-store.ts';
import type { HostfileSchedule } from '../../core/launch/schedule.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { Context } from '../context.ts';
import { requireHosts } from '../hosts/require-hosts.ts';
import { requireSlurm } from '../slurm/require-slurm.ts';
import type { PlannedCases } from './planning.ts';

/**
 * Looks at every machine that plans are to run on, before the first of them starts.
 * @throws SuperOffloadError 'environment' with the faults of all of them, 'usage' for what Slurm will never run.
 */
export async function readyPlaces(
  context: Context,
  plans: readonly RunPlan[],
  stack: StackLock | null,
): Promise<PlannedCases> {
  const queued = plans.filter(({ schedule }) => schedule?.scheduler === 'slurm');
  const notes = queued.length === 0 ? [] : await requireSlurm(context, queued);
  const looked = new Map<string, HostfileSchedule>();
  const ready: RunPlan[] = [];
  for (const plan of plans) {
    const { schedule } = plan;
    if (schedule?.scheduler !== 'hostfile') {
      ready.push(plan);
      continue;
    }
    // Many cases run on the same hosts: each set is looked at once.
    const key = JSON.stringify(schedule);
    let found = looked.get(key);
    if (found === undefined) {
      const { accelerator } = plan.system;
      const asked = await requireHosts(context, {
        schedule,
        stack,
        accelerator,
        runsFolder: runsFolder(context.home),
        // --bind_cores_to_rank calls it too.
        tools: ['numactl', 'deepspeed'].includes(plan.placement?.binding ?? '') ? ['numactl'] : [],
      });
      found = asked.schedule;
      looked.set(key, found);
      notes.push(...asked.notes);
    }
    ready.push({ ...plan, schedule: found });
  }
  return { plans: ready, notes };
}
