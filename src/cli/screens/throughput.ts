import { casesExitCode } from '../../core/results/exit-code.ts';
import { describePlan } from '../../core/plan/describe.ts';
import {
  planThroughput,
  type ThroughputPlan,
  type ThroughputRequest,
} from '../../workflows/throughput/plan-throughput.ts';
import { SuperOffloadError } from '../../errors.ts';
import { measureThroughput } from '../../workflows/throughput/throughput.ts';
import type { CommandIo } from '../commands/module.ts';
import { widthOf } from '../text/fit-table.ts';
import { otherSystemHint, planTable, skippedLines } from '../text/plan-table.ts';
import { throughputTable } from '../text/throughput-table.ts';

export interface ThroughputScreenOptions {
  readonly repeat: number;
  readonly json: boolean;
}

/** Plans, shows the plan, runs it, and shows the table: the whole of `superoffload throughput`. */
export async function showThroughput(
  io: CommandIo,
  request: ThroughputRequest,
  { repeat, json }: ThroughputScreenOptions,
): Promise<void> {
  const { context } = io;
  const plan = await planThroughput(context, request);
  const unsupported = plan.skipped.filter(({ askedFor }) => askedFor);
  if (request.dryRun) {
    io.print(json ? JSON.stringify(plan, null, 2) : dryRunText(plan, repeat));
    return;
  }
  announce(io, plan);
  if (plan.plans.length === 0) throw nothingToRun(plan);
  const result = await measureThroughput(context, plan.plans, repeat, plan.planVariant);
  io.print(
    json
      ? JSON.stringify({ ...result, skipped: plan.skipped, notes: plan.notes }, null, 2)
      : throughputTable(plan.machine.system, result, plan.skipped),
  );
  const asked = {
    askedByName: request.command !== null || request.flags.models !== undefined,
    unsupportedAskedFor: unsupported.length > 0,
  };
  // A batch that ran out of memory on the way to one that did not is no failure; a crash on the way is one.
  const rows = casesExitCode(
    result.summaries.flatMap(({ launches }) => launches),
    asked,
  );
  io.exitWith(casesExitCode(result.records, { ...asked, askedByName: false }) === 4 ? 4 : rows);
}

/** The plan goes to stderr: stdout is for results. */
function announce({ context }: CommandIo, plan: ThroughputPlan): void {
  for (const message of plan.notes) context.emit({ type: 'note', message });
  context.emit({ type: 'note', message: planTable(plan, widthOf(process.stderr)) });
  for (const message of skippedLines(plan.skipped)) context.emit({ type: 'note', message });
}

function dryRunText(plan: ThroughputPlan, repeat: number): string {
  return [
    ...plan.notes,
    planTable(plan),
    ...skippedLines(plan.skipped),
    ...(plan.planVariant === null ? [] : [batchRuleText]),
    ...(repeat > 1 ? [`each ${repeat} times, in turns`] : []),
    ...plan.plans.map(describePlan),
  ].join('\n\n');
}

const batchRuleText =
  'Where a batch runs out of memory at once, the largest micro-batch that fits is searched, with accumulation and ' +
  'with recomputation, and the faster one counts (--fixed-batch turns this off).';

function nothingToRun({ skipped }: ThroughputPlan): SuperOffloadError {
  const reasons = skipped.map(({ case: { mode, model }, reason }) => `${mode} ${model.name}: ${reason}`);
  return new SuperOffloadError({
    code: 'environment',
    message: ['nothing can run here', ...reasons].join('\n'),
    hint: skipped.some(({ kind }) => kind === 'memory')
      ? 'choose a smaller --model or another --mode; see `superoffload models --memory`'
      : otherSystemHint,
  });
}
