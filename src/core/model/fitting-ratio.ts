import { modes } from '../deepspeed/modes/registry.ts';
import { splitSubgroups } from '../deepspeed/modes/subgroups.ts';
import type { Case, System } from '../experiment/case.ts';
import { settingOf } from './memory.ts';
import { keptOnGpu, overlapSubgroups } from './overlap-subgroups.ts';
import { predictFit, type PredictOptions } from './predict.ts';
import { subgroupSizes } from './subgroup-sizes.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/** What must stay free: a share of the memory that there is, on the GPU and on the host, 0 to 1. */
export interface FittingOptions extends PredictOptions {
  readonly memoryMargin: number;
}

/**
 * The smallest `--ratio` with which a case is predicted to fit: as much of the optimizer on the GPU as there is room for,
 * to the subgroup. What the host holds is the least at it.
 * @param subject its own ratio does not matter
 * @returns 0 where all of the optimizer fits on the GPU; null where nothing fits with the margin, on the GPU or on the
 * host, and where the mode reads no ratio. A decimal as short as it can be, for a command line.
 */
export function smallestFittingRatio(
  subject: Case,
  system: System,
  { memoryMargin, ...options }: FittingOptions,
): number | null {
  if (modes[subject.mode].defaultRatio === null) return null;
  const cut = cutOf(subject);
  const at = (kept: number) => predictFit({ ...subject, ratio: ratioOf(kept, cut) }, system, options);
  const fits = (need: number, have: number | null): boolean =>
    have === null || need <= have * (1 - memoryMargin);
  const fitsGpu = (kept: number): boolean => {
    const { gpuReservedGiB, capacity } = at(kept);
    return fits(gpuReservedGiB, capacity.gpuGiB);
  };
  const most = largestWhere(cut.count, fitsGpu);
  if (most === null) return null;
  const { memory, capacity } = at(most);
  return fits(memory.hostGiB, capacity.hostGiB) ? ratioOf(most, cut) : null;
}

/** How a ratio becomes a number of subgroups that stay on the GPU. */
interface Cut {
  readonly count: number;
  readonly keptAt: (ratio: number) => number;
  /** Share of the optimizer, as the rule counts it, that so many kept subgroups stand for. */
  readonly shareOf: (kept: number) => number;
}

function cutOf(subject: Case): Cut {
  const { model, sequenceLength, chips } = subject;
  if (usesOverlap(subject)) {
    const { subgroupElements } = superoffloadSettings(subject);
    const { sizes } = overlapSubgroups(model, { sequenceLength, chips, subgroupElements });
    const sums = [0];
    for (const size of sizes) sums.push((sums.at(-1) ?? 0) + size);
    const all = sums.at(-1) ?? 0;
    return {
      count: sizes.length,
      keptAt: (ratio) => keptOnGpu(sizes, ratio),
      shareOf: (kept) => (sums[kept] ?? 0) / all,
    };
  }
  const subGroupSize = settingOf(subject, 'sub_group_size', 1e9);
  const sizes = subgroupSizes(model, { sequenceLength, chips, subGroupSize });
  return {
    count: sizes.length,
    keptAt: (ratio) => splitSubgroups(sizes, ratio).onGpu.length,
    shareOf: (kept) => kept / sizes.length,
  };
}

/**
 * The shortest decimal that leaves exactly `kept` subgroups on the GPU; of equally short ones the largest. The largest
 * share of all is often none: 1 - 0.9 is less than 0.1, and 0.9 keeps 10 of 110 subgroups where 0.899 keeps 11.
 */
function ratioOf(kept: number, { keptAt, shareOf }: Cut): number {
  if (kept === 0) return 1;
  const most = 1 - shareOf(kept);
  for (let unit = 1; unit <= 1e15; unit *= 10) {
    const steps = Math.floor(most * unit);
    const ratio = [steps, steps - 1]
      .map((count) => Math.max(0, count) / unit)
      .find((share) => keptAt(share) === kept);
    if (ratio !== undefined) return ratio;
  }
  throw new Error(`no ratio keeps ${kept} subgroups on the GPU`);
}

/** The largest of 0 to `most` for which `holds`, which holds for all below it; null where it does not for 0. */
function largestWhere(most: number, holds: (value: number) => boolean): number | null {
  if (!holds(0)) return null;
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
