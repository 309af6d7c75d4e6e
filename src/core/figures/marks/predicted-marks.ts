import type { Case, System } from '../../experiment/case.ts';
import { predictFit, type PredictOptions } from '../../model/predict.ts';
import { caseTflops, mfu } from '../../model/shape.ts';
import { predictTime } from '../../model/step-time.ts';
import { leanestBatch } from '../../search/batch-variants.ts';
import { nextBatchStep, predictedBatches, type BatchAttempt } from '../../search/batch-rule.ts';
import { edgeOfPredictions } from '../../search/predicted-edge.ts';
import type { Mark } from '../figure-data.ts';
import { billions } from './frontier-mark.ts';
import { markOf, smallerBatchText } from './marks.ts';

type At = Pick<Mark, 'panel' | 'series' | 'x'>;

/** What a prediction is made for and with. */
export interface PredictSetting {
  readonly system: System;
  readonly options: PredictOptions;
}

/**
 * The predicted speed of one cell: of the batch that the paper's rule would come to where `hasRule`, in the figure's
 * unit.
 * @returns null where it fits, and the system does not state all rates that its step time needs.
 */
export function predictedSpeed(
  at: At,
  asked: Case,
  { system, options }: PredictSetting,
  { hasRule, unit }: { readonly hasRule: boolean; readonly unit: 'tflops' | 'mfu' },
): Mark | null {
  const chosen = hasRule ? predictedBatch(asked, { system, options }) : fitting(asked, { system, options });
  if (chosen === null) {
    const { wall } = predictFit(asked, system, options);
    const least = hasRule ? predictFit(leanestBatch(asked), system, options).wall : null;
    const notes = least === null || least === wall ? [] : [smallerBatchText(least)];
    return markOf({ ...at, source: 'predicted', state: 'oom' }, { wall, notes });
  }
  const time = predictTime(chosen, system, options);
  // A step without its network would be a bar that nothing can reach.
  if (time === null || time.leftOut.length > 0) return null;
  const { modelTflops } = caseTflops(chosen, time.stepMs);
  const share = mfu(modelTflops, system.peakTflops);
  const value = unit === 'tflops' ? modelTflops : share === null ? null : 100 * share;
  if (value === null) return null;
  const notes = [
    ...(chosen.gradientAccumulation > asked.gradientAccumulation
      ? [`accumulation ${chosen.gradientAccumulation}`]
      : []),
    ...(chosen.activationCheckpointing && !asked.activationCheckpointing ? ['recomputed'] : []),
  ];
  return markOf({ ...at, source: 'predicted', state: 'value' }, { value, notes });
}

function fitting(asked: Case, { system, options }: PredictSetting): Case | null {
  return predictFit(asked, system, options).fits ? asked : null;
}

/** The rule of the batch, each launch answered by the prediction in place of a run. */
function predictedBatch(asked: Case, setting: PredictSetting): Case | null {
  const { system, options } = setting;
  const search = predictedBatches(asked, system, options);
  const attempts: BatchAttempt[] = [];
  for (;;) {
    const step = nextBatchStep({ ...search, attempts });
    if (step.type === 'done') return step.chosen;
    attempts.push(answer(step.subject, setting));
  }
}

function answer(subject: Case, { system, options }: PredictSetting): BatchAttempt {
  const { fits, wall } = predictFit(subject, system, options);
  if (!fits) return { subject, verdict: { kind: 'memory', wall: wall ?? 'gpu' }, modelTflops: null };
  const modelTflops = predictTime(subject, system, options)?.tflops.modelTflops ?? null;
  return { subject, verdict: { kind: 'ran' }, modelTflops };
}

/**
 * The largest of these sizes that is predicted to fit.
 * @param cases of one mode, rising
 */
export function predictedFrontier(
  at: At,
  cases: readonly Case[],
  { system, options }: PredictSetting,
  nameOf: (subject: Case) => string,
): Mark {
  const fits = cases.map((subject) => predictFit(subject, system, options));
  const { predicted } = edgeOfPredictions(fits);
  const largest = cases[predicted];
  const next = fits[predicted + 1];
  const wall = next === undefined ? null : next.wall;
  if (largest === undefined) return markOf({ ...at, source: 'predicted', state: 'oom' }, { wall });
  const name = nameOf(largest);
  return markOf(
    { ...at, source: 'predicted', state: 'value' },
    {
      value: billions(largest),
      wall,
      notes: next === undefined ? [`at least ${name}: nothing larger is known`] : [],
    },
  );
}
