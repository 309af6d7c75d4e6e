import { quoteWord } from '../launch/quote.ts';
import type { GateCase } from './gate-case.ts';
import type { GateRow } from './report.ts';

/** What a next step depends on beside the row. */
export interface Asked {
  readonly baselineName: string;
  /** The baseline is a file: references can be taken into it. */
  readonly holdsPast: boolean;
  readonly options: { readonly allowMissing: boolean };
}

/** A row with what to do about it, where its status says that: the command in full. */
export function withNextStep(row: GateRow, { baselineName, holdsPast, options }: Asked): GateRow {
  if (row.status === 'missing') {
    const hint = options.allowMissing
      ? null
      : `run it: ${runCommand(row)}; or leave it open: --allow-missing`;
    return { ...row, hint };
  }
  if (!holdsPast) return row;
  if (row.status === 'new') return { ...row, hint: `take it in: ${updateCommand(baselineName)}` };
  if (row.status === 'improved') return { ...row, hint: `take it over: ${updateCommand(baselineName)}` };
  return row;
}

export function updateCommand(baselineName: string): string {
  return `superoffload gate update --baseline ${quoteWord(baselineName)}`;
}

/** The command that runs a reference's case; what a reference does not name is as the experiment has it. */
export function runCommand({ case: subject, metric }: Pick<GateRow, 'case' | 'metric'>): string {
  if (subject.mode === 'command') return 'superoffload throughput --workload command -- COMMAND';
  const search = metric === 'modelSize';
  return [
    `superoffload ${search ? 'model-size' : 'throughput'}`,
    ...(subject.workload === 'builtin' ? [] : [`--workload ${quoteWord(subject.workload)}`]),
    `--mode ${quoteWord(subject.mode)}`,
    ...(subject.model === null ? [] : [`--model ${quoteWord(subject.model)}`]),
    ...(subject.chips === 1 ? [] : [`--chips ${subject.chips}`]),
    ...(search ? [] : batchFlags(subject)),
    ...(/^local( |$)/.test(subject.system) ? [] : [`--system ${quoteWord(subject.system)}`]),
    ...(search ? [] : ['--repeat 3']),
  ].join(' ');
}

function batchFlags({ globalBatch, microBatch, sequenceLength, dtype, ...subject }: GateCase): string[] {
  return [
    ...(microBatch === null ? [] : [`--micro-batch ${microBatch}`]),
    ...(globalBatch === null ? [] : [`--global-batch ${globalBatch}`]),
    ...(sequenceLength === null ? [] : [`--sequence-length ${sequenceLength}`]),
    ...(dtype === null || dtype === 'bf16' ? [] : [`--dtype ${dtype}`]),
    ...(subject.activationCheckpointing === true ? ['--activation-checkpointing'] : []),
    ...(subject.activationCheckpointing === false ? ['--no-activation-checkpointing'] : []),
  ];
}
