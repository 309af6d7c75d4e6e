import type { Fault } from '../../errors.ts';

/** A batch that DeepSpeed accepts: globalBatch = microBatch * gradientAccumulation * data-parallel size. */
interface Batch {
  /** Sequences a rank and forward pass. */
  readonly microBatch: number;
  /** Sequences an optimizer step, over all ranks. */
  readonly globalBatch: number;
  /** Forward passes an optimizer step. */
  readonly gradientAccumulation: number;
}

export interface BatchRequest {
  readonly microBatch?: number;
  readonly globalBatch?: number;
  readonly chips: number;
  /** Ranks that share one sequence; they are not data-parallel to each other. */
  readonly sequenceParallel?: number;
}

/** Either a batch or every reason why there is none. */
export type BatchResult =
  { readonly ok: true; readonly batch: Batch } | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Completes a batch: what is not given follows from the rest.
 * Only a micro-batch: no accumulation. Only a global batch: the whole share of a rank in one forward pass.
 * Neither: one sequence a rank.
 */
export function resolveBatch(request: BatchRequest): BatchResult {
  const { chips, sequenceParallel = 1 } = request;
  const faults = countFaults(request);
  if (faults.length > 0) return { ok: false, faults };
  const dataParallel = chips / sequenceParallel;
  const microBatch = request.microBatch ?? (request.globalBatch ?? dataParallel) / dataParallel;
  const globalBatch = request.globalBatch ?? microBatch * dataParallel;
  const gradientAccumulation = globalBatch / (microBatch * dataParallel);
  if (Number.isInteger(microBatch) && Number.isInteger(gradientAccumulation)) {
    return { ok: true, batch: { microBatch, globalBatch, gradientAccumulation } };
  }
  return { ok: false, faults: [indivisible(request, dataParallel, globalBatch)] };
}

function indivisible(request: BatchRequest, dataParallel: number, globalBatch: number): Fault {
  const unit = (request.microBatch ?? 1) * dataParallel;
  const below = Math.floor(globalBatch / unit) * unit;
  const near = below === 0 ? `${unit}` : `${below} or ${below + unit}`;
  return {
    place: '--global-batch',
    problem: `${globalBatch} sequences cannot be shared by ${dataParallel} data-parallel ranks with ${
      request.microBatch === undefined ? 'any micro-batch' : `a micro-batch of ${request.microBatch}`
    }`,
    expected: `a multiple of ${unit}, for example ${near}`,
  };
}

function countFaults({ microBatch, globalBatch, chips, sequenceParallel = 1 }: BatchRequest): Fault[] {
  const counts: readonly (readonly [string, number | undefined])[] = [
    ['--micro-batch', microBatch],
    ['--global-batch', globalBatch],
    ['--chips', chips],
    ['--sequence-parallel', sequenceParallel],
  ];
  const faults = counts
    .filter(([, value]) => value !== undefined && !(Number.isSafeInteger(value) && value > 0))
    .map(([place, value]) => ({
      place,
      problem: `${value} is not a count`,
      expected: 'a whole number from 1 up',
    }));
  if (faults.length === 0 && chips % sequenceParallel !== 0) {
    faults.push({
      place: '--sequence-parallel',
      problem: `${chips} chips cannot be split into groups of ${sequenceParallel} that share a sequence`,
      expected: `a divisor of ${chips}, the number of --chips`,
    });
  }
  return faults;
}
