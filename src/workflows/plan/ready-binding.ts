import { probeTool } from '../../adapters/probe/tools.ts';
import { bindingFaults } from '../../core/launch/binding.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';

/**
 * Looks whether ranks can be bound on this machine as plans say.
 * @throws SuperOffloadError 'environment' with every fault.
 */
export async function readyBinding(context: Context, plans: readonly RunPlan[]): Promise<void> {
  const bound = plans.find(({ schedule, placement }) => {
    return schedule === undefined && placement !== undefined && placement.binding !== 'none';
  });
  if (bound?.placement === undefined) return;
  const { placement, system } = bound;
  const faults = bindingFaults(placement, system.name, {
    numactl: await probeTool('numactl', context.env, context.signal),
    numaNodes: placement.machine?.numa.nodes.map(({ id }) => id) ?? null,
    env: context.env,
  });
  if (faults.length > 0) throw faultsError('environment', faults, 'nothing was started');
}
