import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { Context } from '../context.ts';
import type { PlannedCases } from './planning.ts';

/** Looks at every machine that plans are to run on, before the first of them starts. */
export async function readyPlaces(
  context: Context,
  plans: readonly RunPlan[],
  stack: StackLock | null,
): Promise<PlannedCases> {
  return Promise.resolve({ plans, notes: [] });
}
