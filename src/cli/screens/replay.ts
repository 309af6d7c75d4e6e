import { casesExitCode } from '../../core/results/exit-code.ts';
import { describePlan } from '../../core/plan/describe.ts';
import { summarizeCases } from '../../core/results/summarize.ts';
import { replayPlan, replayRun } from '../../workflows/runs/runs.ts';
import type { CommandIo } from '../commands/module.ts';
import { throughputTable } from '../text/throughput-table.ts';

/** Repeats a stored run and shows its row. */
export async function showReplay(
  io: CommandIo,
  wanted: string,
  options: { readonly json: boolean; readonly dryRun: boolean; readonly allowDrift: boolean },
): Promise<void> {
  if (options.dryRun) {
    const plan = await replayPlan(io.context, wanted, options);
    io.print(options.json ? JSON.stringify(plan, null, 2) : describePlan(plan));
    return;
  }
  const record = await replayRun(io.context, wanted, options);
  const measured = { summaries: summarizeCases([record]), ratios: [] };
  io.print(options.json ? JSON.stringify(record, null, 2) : throughputTable(record.system, measured, []));
  io.exitWith(casesExitCode([record], { askedByName: true, unsupportedAskedFor: false }));
}
