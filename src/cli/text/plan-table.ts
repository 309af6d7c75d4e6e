import type { Column } from '../../adapters/table.ts';
import type { SkippedCase } from '../../core/experiment/grid.ts';
import { estimateMemory } from '../../core/model/memory.ts';
import { parameterCount } from '../../core/model/shape.ts';
import type { ThroughputPlan } from '../../workflows/throughput/plan-throughput.ts';
import { formatCount, formatDuration } from './format.ts';
import { resultTable } from './result-table.ts';

const columns: readonly Column[] = [
  { title: 'case' },
  { title: 'parameters', align: 'right' },
  { title: 'GPU GiB', align: 'right' },
  { title: 'host GiB', align: 'right' },
  { title: 'expected time', align: 'right' },
];

/**
 * What is about to run: memory by first-order formulas, time from earlier runs of the same, else predicted.
 * @param width of the terminal that it goes to; null where that is none (default: stdout's)
 */
export function planTable({ plans, machine, expectedMs }: ThroughputPlan, width?: number | null): string {
  const rows = plans.map((plan) => {
    const time = expectedMs[plan.caseId];
    const expected = time === undefined ? 'unknown' : formatDuration(time);
    if (plan.case === null) return [plan.title, '', '', '', expected];
    const { gpuGiB, hostGiB } = estimateMemory(plan.case, machine.system);
    const parameters = formatCount(parameterCount(plan.case.model, plan.case.sequenceLength));
    const gpu = machine.system.accelerator === 'cuda' ? gpuGiB.toFixed(1) : '-';
    return [plan.title, parameters, gpu, hostGiB.toFixed(1), expected];
  });
  return resultTable(columns, rows, width);
}

/** What helps where the machine is of the wrong kind. */
export const otherSystemHint =
  'run it on a machine with an NVIDIA GPU; to see its plan here: superoffload config --system h200 ...';

/** Why cases of the experiment are not run, a line each. */
export function skippedLines(skipped: readonly SkippedCase[]): string[] {
  return skipped.map(({ case: { mode, model }, reason }) => `not run: ${mode} ${model.name}: ${reason}`);
}
