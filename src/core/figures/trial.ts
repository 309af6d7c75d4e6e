import { dtypes, modeNames, type Case } from '../experiment/case.ts';
import { isAbLaunch } from '../results/ab-launch.ts';
import type { RunRecord } from '../results/record.ts';
import type { FigureNumber } from './figure-data.ts';

/** A run that a figure may show, with its case. */
export interface Trial {
  readonly record: RunRecord;
  readonly subject: Case;
}

/** Whose runs a figure shows. */
export const figureExperiments = {
  10: 'throughput',
  11: 'throughput',
  12: 'sequence_length',
  13: 'model_size',
} as const satisfies Record<FigureNumber, string>;

export interface Trials {
  readonly trials: readonly Trial[];
  /** Runs whose numbers are none that a run can have. */
  readonly faulty: readonly string[];
  /** Runs that a tuning gave up: too few steps for a measurement. */
  readonly abandoned: number;
}

/**
 * The runs of a figure's experiment and numbers of chips. A side of an A/B has the experiment's case and is none of it; a
 * trial that a tuning gave up is no measurement.
 */
export function trialsOf(figure: FigureNumber, records: readonly RunRecord[]): Trials {
  return trialsWhere(
    records,
    ({ experiment, chips }) => experiment === figureExperiments[figure] && hasChips(figure, chips),
  );
}

/** As {@link trialsOf}, of the cases that are wanted, whatever experiment they were run for. */
export function trialsWhere(records: readonly RunRecord[], isWanted: (subject: Case) => boolean): Trials {
  const trials: Trial[] = [];
  const faulty: string[] = [];
  let abandoned = 0;
  for (const record of records) {
    const { case: subject } = record;
    if (subject === null || isAbLaunch(record) || !isWanted(subject)) continue;
    if (record.abandoned !== undefined) abandoned += 1;
    else if (isSound(record, subject)) trials.push({ record, subject });
    else faulty.push(record.runId);
  }
  return { trials, faulty, abandoned };
}

/** @returns why they are not in the picture; nothing of none. */
export function abandonedText(count: number): string[] {
  return count === 0
    ? []
    : [`${count} run${count === 1 ? '' : 's'} that tune stopped early, too slow to win`];
}

/** One chip is figure 10's, all other numbers of chips are figure 11's. */
function hasChips(figure: FigureNumber, chips: number): boolean {
  return figure === 10 ? chips === 1 : figure === 11 ? chips !== 1 : true;
}

/** Beyond these nothing was ever run, and a picture of it would be one of a slip. */
const most = {
  chips: 1e5,
  sequenceParallel: 1e5,
  microBatch: 1e6,
  globalBatch: 1e7,
  gradientAccumulation: 1e6,
  sequenceLength: 1e9,
  layers: 1e4,
  hidden: 1e6,
  heads: 1e5,
  paddedVocabulary: 1e8,
  modelTflopsPerGpu: 1e5,
  mfu: 10,
  tokensPerSecond: 1e12,
} as const;

/** A record may have been written, or changed, by anybody: what is computed with must be what it says it is. */
function isSound({ statistics, throughput, system }: RunRecord, subject: Case): boolean {
  const { chips, sequenceParallel, microBatch, globalBatch, gradientAccumulation, sequenceLength } = subject;
  const { layers, hidden, heads, paddedVocabulary } = subject.model;
  const batch = { chips, sequenceParallel, microBatch, globalBatch, gradientAccumulation, sequenceLength };
  const counts = Object.entries({ ...batch, layers, hidden, heads, paddedVocabulary });
  const { modelTflopsPerGpu, mfu, tokensPerSecond } = throughput;
  const rates = Object.entries({ modelTflopsPerGpu, mfu, tokensPerSecond });
  const times =
    statistics === null
      ? []
      : [statistics.medianMs, statistics.interval?.lowMs ?? null, statistics.interval?.highMs ?? null];
  const { gpuGiB, hostGiB, peakTflops } = system;
  return (
    modeNames.includes(subject.mode) &&
    dtypes.includes(subject.dtype) &&
    counts.every(([name, count]) => Number.isSafeInteger(count) && isUpTo(count, name)) &&
    rates.every(([name, rate]) => rate === null || isUpTo(rate, name)) &&
    [...times, gpuGiB, hostGiB, peakTflops].every((value) => value === null || isUpTo(value))
  );
}

function isUpTo(value: number, name?: string): boolean {
  const limit = name === undefined ? Number.MAX_VALUE : most[name as keyof typeof most];
  return typeof value === 'number' && value > 0 && value <= limit;
}
