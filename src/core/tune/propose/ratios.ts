/** With less on the CPU than this the mode is ZeRO-3 on the GPU, which has a name of its own. */
const least = 0.05;
const published = 0.9;
/** Steps up from the largest share on the GPU: the way back where that turns out to be too much. */
const stepsUp = [0.03, 0.07, 0.12, 0.2, 0.3];

/**
 * The ratios worth a look: the largest share on the GPU that fits, a little less of it, half way, the published 0.9,
 * and everything on the CPU.
 * @param smallest what fits the GPU (core/model/fitting-ratio.ts)
 * @param few only the smallest, the published one and 1
 * @returns smallest first
 */
export function ratiosToTry(smallest: number, few: boolean): number[] {
  const first = Math.max(least, smallest);
  const between = [...stepsUp.map((more) => first + more), (first + 1) / 2];
  const all = [...(few ? [] : between), published, 1]
    .map((ratio) => Math.round(100 * ratio) / 100)
    .filter((ratio) => ratio > first && ratio <= 1);
  return [...new Set([first, ...all])].sort((a, b) => a - b);
}
