import { withPort, type RunPlan } from '../../plan/run-plan.ts';
import { systemLabel } from '../../results/system-label.ts';

/** One side as it will run. */
export interface AbSide {
  readonly plan: RunPlan;
  /** What the side itself sets in the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a side is: its case, its DeepSpeed JSON, the software, its settings, the machine, how it is launched. Not what it
 * is called, and nothing of the shell that it was called from: PATH and free ports are others in the next one, and the
 * memory of a machine is another after a boot.
 */
export function identityOf({ plan, env }: AbSide): unknown {
  const { caseId, system, stack, files, steps, maxError, placement, schedule } = plan;
  const { gpuGiB, chipsPerNode, cores, site } = system;
  return {
    ...{ caseId, env, files, steps, maxError, schedule },
    system: { name: systemLabel(system), gpuGiB, chipsPerNode, cores, site },
    stack: stack === null ? null : { hash: stack.hash, drift: stack.drift ?? [] },
    placement:
      placement === undefined
        ? null
        : {
            binding: placement.binding,
            hostNumaNodes: placement.hostNumaNodes,
            exclusiveHost: placement.exclusiveHost,
          },
    command: withPort(plan, 0).command,
  };
}
