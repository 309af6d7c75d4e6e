import type { System } from '../experiment/case.ts';
import type { CaseSummary, ModeRatio } from './summarize.ts';

/**
 * What to try where SuperOffload as published was slower than ZeRO-Offload in one grid. For a GPU behind PCIe only: on
 * a superchip nobody has measured prism_overlap (docs/performance.md).
 * @returns one line, or null where there is nothing to say, or prism_overlap stands in the table already.
 */
export function overlapHint(
  { accelerator, link }: Pick<System, 'accelerator' | 'link'>,
  summaries: readonly CaseSummary[],
  ratios: readonly ModeRatio[],
): string | null {
  if (accelerator !== 'cuda' || link !== 'pcie') return null;
  const modeOf = (caseId: string) =>
    summaries.find((summary) => summary.caseId === caseId)?.record.case?.mode ?? null;
  if (summaries.some(({ record }) => record.case?.mode === 'prism_overlap')) return null;
  const isSlower = ratios.some(
    ({ caseId, baselineCaseId, ratio }) =>
      modeOf(caseId) === 'prism' && modeOf(baselineCaseId) === 'zero_offload' && ratio.ratio < 1,
  );
  return isSlower
    ? "prism as published is slower than zero_offload here: try --mode prism_overlap, SuperOffload with this project's optimizer (measured on a GPU behind PCIe in docs/performance.md)"
    : null;
}
