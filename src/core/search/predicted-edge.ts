import type { FitPrediction } from '../model/predict.ts';
import type { Needs } from './frontier.ts';

/** What a machine has; null where unknown, and then it is no wall. */
export interface Capacity {
  readonly gpuGiB: number | null;
  readonly hostGiB: number | null;
}

/** Where a search starts. */
export interface PredictedEdge {
  /** Index of the largest candidate that is predicted to fit; -1 where none is. */
  readonly predicted: number;
  /** The one above it is predicted to be nearer to the wall. */
  readonly startsAbove: boolean;
}

/** The predicted edge of candidates that stand in their order: the last one that fits. */
export function predictedEdge(needs: readonly Needs[], capacity: Capacity): PredictedEdge {
  const use = needs.map((need) => shareOf(need, capacity));
  const predicted = use.findLastIndex((share) => share <= 1);
  const [below, above] = [use[predicted], use[predicted + 1]];
  const startsAbove = below !== undefined && above !== undefined && above - 1 < 1 - below;
  return { predicted, startsAbove };
}

/** What a prediction holds against a machine: on the GPU what PyTorch reserves, so that it says `fits` where this does. */
export function needsOf({ gpuReservedGiB, memory }: Pick<FitPrediction, 'gpuReservedGiB' | 'memory'>): Needs {
  return { gpuGiB: gpuReservedGiB, hostGiB: memory.hostGiB };
}

/** The predicted edge of cases of one machine and number of chips, in the order that is searched. */
export function edgeOfPredictions(
  fits: readonly Pick<FitPrediction, 'gpuReservedGiB' | 'memory' | 'capacity'>[],
): PredictedEdge & { readonly candidates: readonly Needs[] } {
  const candidates = fits.map(needsOf);
  return { candidates, ...predictedEdge(candidates, fits[0]?.capacity ?? { gpuGiB: null, hostGiB: null }) };
}

/** Share of the scarcer memory that a candidate takes: above 1 it does not fit. */
function shareOf(need: Needs, { gpuGiB, hostGiB }: Capacity): number {
  return Math.max(gpuGiB === null ? 0 : need.gpuGiB / gpuGiB, hostGiB === null ? 0 : need.hostGiB / hostGiB);
}
