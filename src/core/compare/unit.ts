import { groupBy } from '../collections/group-by.ts';
import { systemLabel } from '../results/system-label.ts';
import { isMeasured, summarizeCases, type CaseSummary } from '../results/summarize.ts';
import type { RunRecord } from '../results/record.ts';
import type { System } from '../experiment/case.ts';

/** All launches of one case on one system: what is compared is never an average over machines. */
export interface CompareUnit extends CaseSummary {
  /** Equal for equal machines. */
  readonly systemKey: string;
  readonly title: string;
  /** Launches with step times that count. */
  readonly measured: readonly RunRecord[];
}

/** @param records any order @returns in the order in which the cases first ran. */
export function unitsOf(records: readonly RunRecord[]): CompareUnit[] {
  const ordered = [...records].sort((a, b) =>
    a.startedUtc < b.startedUtc ? -1 : Number(a.startedUtc > b.startedUtc),
  );
  return [...groupBy(ordered, ({ system }) => systemKey(system))].flatMap(([key, ofSystem]) =>
    summarizeCases(ofSystem).map((summary) => ({
      ...summary,
      systemKey: key,
      title: unitTitle(summary.record),
      measured: summary.launches.filter(isMeasured),
    })),
  );
}

/** Host memory is not in it: MemTotal moves from boot to boot. */
function systemKey(system: System): string {
  const { gpuGiB, chipsPerNode, cores } = system;
  const gpus = gpuGiB === null ? [] : [`${chipsPerNode} x ${gpuGiB.toFixed(0)} GiB`];
  return [systemLabel(system), ...gpus, `${cores} cores`].join(', ');
}

/** One line for a person: `zero_offload 2B, 1 chip, batch 8, sequence 1024, bf16`. */
export function unitTitle({ case: subject, caseId, worldSize }: RunRecord): string {
  if (subject === null) return caseId;
  const { mode, model, workload, globalBatch, microBatch, gradientAccumulation, sequenceLength, dtype } =
    subject;
  return [
    `${workload === 'builtin' ? '' : `${workload} `}${mode} ${model.name}`,
    `${worldSize} ${worldSize === 1 ? 'chip' : 'chips'}`,
    `batch ${globalBatch}${gradientAccumulation > 1 ? ` (micro ${microBatch})` : ''}`,
    `sequence ${sequenceLength}`,
    dtype,
    ...(subject.activationCheckpointing ? ['recomputation'] : []),
  ].join(', ');
}
