import { planTune, type TunePlan } from '../../workflows/tune/plan-tune.ts';
import { firstTrial, tune } from '../../workflows/tune/tune.ts';
import type { SizeReport } from '../../workflows/tune/report.ts';
import type { TuneCommand } from '../../workflows/tune/tune-request.ts';
import type { CommandIo } from '../commands/module.ts';
import { tuneDryRun } from '../text/tune-dry-run.ts';
import { tuneText } from '../text/tune.ts';

/** Plans a tuning, runs it, and shows what came of it: the whole of `superoffload tune`. */
export async function showTune(
  io: CommandIo,
  command: TuneCommand,
  { json }: { readonly json: boolean },
): Promise<void> {
  const { context } = io;
  const plan = await planTune(context, command);
  if (command.dryRun) {
    io.print(json ? JSON.stringify(dryRunJson(plan), null, 2) : tuneDryRun(plan));
    return;
  }
  for (const message of plan.notes) context.emit({ type: 'note', message });
  const sizes = await tune(context, plan);
  io.print(json ? JSON.stringify(resultJson(plan, sizes), null, 2) : tuneText(plan, sizes));
  io.exitWith(tuneExitCode(sizes));
}

/** A size that has no choice although something was launched: every trial of it failed. Nothing to launch is 3. */
export function tuneExitCode(sizes: readonly SizeReport[]): 0 | 3 | 4 {
  const without = sizes.filter(({ choice }) => choice === null);
  if (without.length === 0) return 0;
  return without.some(({ trials }) => trials.length > 0) ? 4 : 3;
}

function headOf({ planning, command }: TunePlan) {
  const { objective, budget } = command;
  const { name, accelerator } = planning.system;
  return { schemaVersion: 1, system: name, functional: accelerator === 'cpu', objective, budget } as const;
}

function resultJson(plan: TunePlan, sizes: readonly SizeReport[]): object {
  const rejected = plan.sizes.flatMap((size) => size.rejected);
  return { ...headOf(plan), sizes, rejected, notes: plan.notes };
}

function dryRunJson(plan: TunePlan): object {
  const sizes = plan.sizes.map((size) => {
    const { name, tuning, rejected } = size;
    const { candidates, capacity } = tuning;
    return { name, candidates, rejected, capacity, first: firstTrial(size) };
  });
  return { ...headOf(plan), sizes, notes: plan.notes };
}
