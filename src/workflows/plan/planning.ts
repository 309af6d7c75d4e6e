import type { Case, System } from '../../core/experiment/case.ts';
import type { ModelTable } from '../../core/experiment/grid.ts';
import type { OverlayTrouble } from '../../core/patches/overlay-trouble.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { Context } from '../context.ts';
import type { Machine } from '../machine.ts';
import { requireData } from '../runs/run-data.ts';
import { usableStack } from '../stacks/usable-stack.ts';
import { configureCases } from './case-configs.ts';
import { launcherFor } from './launcher.ts';
import { overlayNotes, overlayTroubleOf } from './overlay.ts';
import { otherMachineNotes, planNotes } from './plan-notes.ts';
import { megatronOf, planRun } from './plan-run.ts';
import { readyBinding } from './ready-binding.ts';
import { readSetting, type PlanRequest, type Setting } from './request.ts';
import { schedulerOf, schedulesOf } from './schedules.ts';

/** Everything that turns cases into runs, read once. */
export interface Planning {
  readonly setting: Setting;
  readonly machine: Machine;
  readonly system: System;
  readonly models: ModelTable;
  /** null in a dry run without a stack. */
  readonly stack: StackLock | null;
  /** Why the stack cannot run what needs the overlay of patches/deepspeed; null where it can. */
  readonly overlay: OverlayTrouble | null;
  /** What a reader must know, whatever the cases are. */
  readonly notes: readonly string[];
  /**
   * Configures and plans cases. Cheap: no file is read, nothing is asked of the machine.
   * @throws SuperOffloadError 'usage' or 'config' with the faults of all cases; 'environment' where the stack lacks
   *   the patches that they need.
   */
  readonly planCases: (cases: readonly Case[]) => PlannedCases;
  /**
   * Sees to it that plans can be started: the data that they name, the hosts, the queue. Not for a dry run.
   * @returns the plans, completed with what only the machines could say.
   * @throws SuperOffloadError 'environment' with every fault.
   */
  readonly ready: (plans: readonly RunPlan[]) => Promise<PlannedCases>;
}

export interface PlannedCases {
  readonly plans: readonly RunPlan[];
  readonly notes: readonly string[];
}

/**
 * Reads what runs need: the stack, its Megatron-DeepSpeed, the hostfile.
 * @param setting what was read before, where the caller needed it to choose its cases
 * @throws SuperOffloadError 'usage', 'config', or 'environment' where this machine or stack cannot do it.
 */
export async function openPlanning(
  context: Context,
  request: PlanRequest,
  setting?: Setting,
): Promise<Planning> {
  const known = setting ?? (await readSetting(context, request));
  const { machine, models } = known;
  const scheduleOf = await schedulesOf(context, request, machine);
  // Before the stack: on a machine of another kind no stack would help.
  const { chips = 1 } = known.user.flags;
  if (!request.dryRun) scheduleOf(chips);
  const { stack, overlay, notes, ...software } = await openStack(context, request, machine);
  const scheduler = schedulerOf(request.scheduling, machine.system);
  const place = { machine, stack, ...software };
  return {
    setting: known,
    machine,
    system: machine.system,
    models,
    stack,
    overlay,
    notes: [...otherMachineNotes(machine, scheduler, chips), ...notes],
    planCases: (cases) => {
      const lacking = overlayNotes(cases, known.user.config, overlay, request.dryRun);
      const { configs, notes: configNotes } = configureCases(cases, known.user, known.deepspeed);
      const plans = configs.map((configured) => {
        const schedule = scheduleOf(configured.subject.chips);
        const launcher = launcherFor(context, request, machine, configured.subject.chips, schedule);
        return planRun(context, { ...request, launcher }, { ...place, schedule }, configured);
      });
      return { plans, notes: [...planNotes(machine, cases, known), ...lacking, ...configNotes] };
    },
    ready: async (plans) => {
      await requireData(plans.flatMap((plan) => plan.case ?? []));
      await readyBinding(context, plans);
      // Who only looks at a plan loads nothing of hosts and queues.
      const { readyPlaces } = await import('./ready-places.ts');
      return readyPlaces(context, plans, stack);
    },
  };
}

/** The stack with what of it not every case needs: the overlay of DeepSpeed, Megatron-DeepSpeed. */
async function openStack(context: Context, request: PlanRequest, machine: Machine) {
  const { stack: name, dryRun, allowDrift } = request;
  const { stack, notes, drift } = await usableStack(context, { name, dryRun, allowDrift }, machine);
  const megatron = megatronOf(context, request, stack);
  return {
    ...{ stack, drift, megatron: megatron.directory, notes: [...notes, ...megatron.notes] },
    overlay: await overlayTroubleOf(context, stack),
  };
}
