import type { Case } from '../../core/experiment/case.ts';
import type { BatchChoice, BatchLaunch } from '../../workflows/throughput/batch-search.ts';
import { formatNumber } from './format.ts';

type Batch = Pick<Case, 'microBatch' | 'gradientAccumulation' | 'activationCheckpointing'>;

/** Sequences of a rank and step: `8`, `2 x 4` where they are accumulated, and whether activations are recomputed. */
export function batchCell({ microBatch, gradientAccumulation, activationCheckpointing }: Batch): string {
  const batch = gradientAccumulation === 1 ? `${microBatch}` : `${microBatch} x ${gradientAccumulation}`;
  return activationCheckpointing ? `${batch} recompute` : batch;
}

/** What the batch rule tried for one case, and which of it counts. */
export function batchLine({ chosenCaseId, launches, stopped }: BatchChoice, name: string): string {
  const tried = launches.map((launch) => launchText(launch, launch.caseId === chosenCaseId));
  const end = chosenCaseId === null ? ['none of them ran'] : [];
  const why = stopped === null ? [] : [`stopped: ${stopped}`];
  return `batch rule: ${name}: ${[...tried, ...end, ...why].join('; ')}`;
}

function launchText(launch: BatchLaunch, isChosen: boolean): string {
  const result =
    launch.modelTflops === null || launch.outcome !== 'ok'
      ? launch.outcome
      : `${formatNumber(launch.modelTflops)} TFLOPS${isChosen ? ', which counts' : ''}`;
  return `${batchCell(launch)}: ${result}`;
}
