import type { RunRecord } from '../../results/record.ts';
import { isMeasured } from '../../results/summarize.ts';
import type { Mark } from '../figure-data.ts';
import { caseTflops } from '../../model/shape.ts';
import type { AblationRow } from './ablation-data.ts';
import { gpuGiBOf } from './place-marks.ts';
import type { AblationPlace } from './places.ts';

interface Known {
  readonly measured: Mark;
  readonly launches: readonly RunRecord[];
  readonly predicted: Mark | null;
  readonly published: Mark | null;
}

/** A row as the table has it. */
export function rowOf(
  place: AblationPlace,
  { measured, launches, predicted, published }: Known,
): AblationRow {
  const { row, subject, group } = place;
  const used = launches.filter((record) => measured.runIds.includes(record.runId) && isMeasured(record));
  return {
    ...{ model: subject.model.name, group, title: row.title, mode: subject.mode },
    deepspeed: subject.deepspeedOverrides,
    ...{ state: measured.state, tflops: measured.value, low: measured.low, high: measured.high },
    basis: measured.basis,
    stepMs: measured.value === null ? null : stepMsAt(place, measured.value),
    gpuGiB: gpuGiBOf(used),
    hostGiB: used.at(-1)?.memory.hostGiB ?? null,
    ratio: measured.ratio ?? null,
    predicted: predicted?.value ?? null,
    published: publishedRow(row.published, published),
    runIds: measured.runIds,
    notes: measured.notes,
  };
}

/** The step of a rate: work is the same at any speed. */
function stepMsAt({ subject }: AblationPlace, tflops: number): number {
  return caseTflops(subject, 1000).modelTflops * (1000 / tflops);
}

function publishedRow(name: string | undefined, mark: Mark | null): AblationRow['published'] {
  if (name === undefined || mark === null || mark.value === null) return null;
  return { name, tflops: mark.value, ratio: mark.ratio?.value ?? 1 };
}
