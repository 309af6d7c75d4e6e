import { busyTasks } from '../results/busy-machine.ts';
import {
  isMeasured,
  modeRatios,
  summarizeCases,
  type CaseSummary,
  type ModeRatio,
} from '../results/summarize.ts';
import { formatTokens } from '../text/format.ts';
import type { RatioRow, RunRow } from './report-data.ts';
import { groupBy } from '../collections/group-by.ts';

/**
 * Every mode against what people run today (core/results/summarize.ts says which that is), within what is the same for
 * both: system, workload, experiment, model, chips, sequence, global batch and dtype. The rest is in `unfair`.
 * @param runs oldest first
 * @returns the largest ratio first
 */
export function bestRatios(runs: readonly RunRow[]): RatioRow[] {
  // A search for the largest model runs few steps, and not for their time.
  const timed = runs.filter(({ record, experiment }) => record.case !== null && !isSearch(experiment));
  const rows = [...groupBy(timed, subjectOf).values()].flatMap(ratiosOf);
  return rows.sort((a, b) => b.ratio - a.ratio);
}

export function isSearch(experiment: string): boolean {
  return experiment === 'model_size' || experiment === 'sequence_length';
}

function subjectOf(row: RunRow): string {
  const { workload, case: subject } = row.record;
  const same = [row.system, workload, row.experiment, row.model, row.chips, row.sequenceLength];
  return JSON.stringify([...same, subject?.globalBatch, subject?.dtype]);
}

function ratiosOf(rows: readonly RunRow[]): RatioRow[] {
  const summaries = summarizeCases(rows.map(({ record }) => record));
  const best = new Map<string, ModeRatio>();
  for (const found of modeRatios(summaries)) {
    const ratio = { ...found, unfair: [...found.unfair, ...busyWords(summaries, found)] };
    const mode = modeOf(summaries, ratio.caseId);
    const other = best.get(mode);
    if (other === undefined || isBetter(ratio, other)) best.set(mode, ratio);
  }
  return [...best].flatMap(([mode, ratio]) => {
    const summary = summaries.find(({ caseId }) => caseId === ratio.caseId);
    const [row] = rows;
    return summary === undefined || row === undefined ? [] : ratioRow(row, mode, summary, ratio, summaries);
  });
}

/** Times that were taken beside the work of others are in doubt, whatever their interval says. */
function busyWords(summaries: readonly CaseSummary[], { baselineCaseId, caseId }: ModeRatio): string[] {
  return [baselineCaseId, caseId].flatMap((id) => {
    const measured = summaries.find((summary) => summary.caseId === id)?.launches.filter(isMeasured) ?? [];
    const busy = busyTasks(measured);
    if (busy.length === 0) return [];
    const launches = measured.length === 1 ? '' : `${busy.length} of ${measured.length} launches, `;
    const most = Math.max(...busy);
    return [`busy machine before ${modeOf(summaries, id)}: ${launches}${most} tasks of others`];
  });
}

/** A comparison that is fair says more than a larger one that is not. */
function isBetter(a: ModeRatio, b: ModeRatio): boolean {
  const [fairA, fairB] = [a, b].map(({ unfair }) => unfair.length === 0);
  return fairA === fairB ? a.ratio.ratio > b.ratio.ratio : fairA === true;
}

function ratioRow(
  { system, record: { functional } }: RunRow,
  mode: string,
  { record }: CaseSummary,
  found: ModeRatio,
  summaries: readonly CaseSummary[],
): RatioRow[] {
  const { ratio, low, high } = found.ratio;
  if (![ratio, low, high].every(Number.isFinite)) return [];
  const baseline = modeOf(summaries, found.baselineCaseId);
  if (mode === baseline) return [];
  const unfair = found.unfair;
  return [
    {
      ...{ system, functional, mode, baseline, ratio, low, high, unfair, runId: record.runId },
      what: whatRan(record),
      basis: basisOf(found),
    },
  ];
}

function whatRan({ case: subject, worldSize, workload }: CaseSummary['record']): string {
  if (subject === null) return '';
  const { model, globalBatch, sequenceLength, dtype } = subject;
  const chips = `${worldSize} chip${worldSize === 1 ? '' : 's'}`;
  const who = workload === 'builtin' ? '' : `${workload}, `;
  return `${who}${model.name}, ${chips}, batch ${globalBatch}, sequence ${formatTokens(sequenceLength)}, ${dtype}`;
}

function basisOf({ ratio, confident }: ModeRatio): string {
  const sure = confident ? '95%' : 'less than 95% sure';
  return ratio.basis === 'between launches'
    ? `${sure}, between ${ratio.pairs} pairs of launches`
    : `${sure}, within one run of each`;
}

function modeOf(summaries: readonly CaseSummary[], caseId: string): string {
  return summaries.find((summary) => summary.caseId === caseId)?.record.case?.mode ?? '';
}
