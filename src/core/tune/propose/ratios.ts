import { isOverlayMode } from '../../deepspeed/modes/registry.ts';
import type { ModeName } from '../../experiment/case.ts';

/**
 * With less on the CPU than this a published mode is ZeRO-3 on the GPU, which has a name of its own. The overlap optimizer
 * steps on the GPU by itself, so that 0 is a configuration like any other.
 */
const leastPublished = 0.05;
const published = 0.9;
/** Steps up from the largest share on the GPU: the way back where that turns out to be too much. */
const stepsUp = [0.03, 0.05, 0.07, 0.12, 0.2, 0.3];
const fewStepsUp = [0.05, 0.12];

interface RatioRange {
  /** What fits the GPU (core/model/fitting-ratio.ts). */
  readonly smallest: number;
  readonly mode: ModeName;
  /** Only a few of them: of settings that are tried beside others. */
  readonly few: boolean;
}

/**
 * The ratios worth a look: the largest share on the GPU that fits, a little less of it, half way, the published 0.9,
 * and everything on the CPU.
 * @returns smallest first
 */
export function ratiosToTry({ smallest, mode, few }: RatioRange): number[] {
  const first = isOverlayMode(mode) ? smallest : Math.max(leastPublished, smallest);
  const between = [...stepsUp.map((more) => first + more), (first + 1) / 2];
  const all = [...(few ? fewStepsUp.map((more) => first + more) : between), published, 1]
    .map((ratio) => Math.round(100 * ratio) / 100)
    .filter((ratio) => ratio > first && ratio <= 1);
  return [...new Set([first, ...all])].sort((a, b) => a - b);
}
