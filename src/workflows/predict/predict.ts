import { readExperiment } from '../../adapters/experiment-data.ts';
import type { JsonObject } from '../../core/deepspeed/modes/mode.ts';
import { objectAt } from '../../core/deepspeed/super-offload.ts';
import type { Case, System } from '../../core/experiment/case.ts';
import { expandGrid, type SkippedCase } from '../../core/experiment/grid.ts';
import { entryFor } from '../../core/experiment/grid-batch.ts';
import { layoutOf } from '../../core/launch/layout.ts';
import { predictDurationMs } from '../../core/model/duration.ts';
import { smallestFittingRatio } from '../../core/model/fitting-ratio.ts';
import { paperHostNote } from '../../core/model/paper-host.ts';
import { predictCase, predictFit, type Prediction, type PredictOptions } from '../../core/model/predict.ts';
import { mfu, parameterCount } from '../../core/model/shape.ts';
import type { PinnedRounding, SoftwareName } from '../../core/model/software.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { configureCases } from '../plan/case-configs.ts';
import { readSetting, type PlanRequest } from '../plan/request.ts';
import { remediesOf, type ChangedFlags, type OtherFlags } from './remedies.ts';

/** What a case is configured by. */
type Assumed = Pick<Awaited<ReturnType<typeof readSetting>>, 'user' | 'deepspeed'>;

/** What a prediction goes by beside the case. */
interface Setting extends Assumed, Pick<Awaited<ReturnType<typeof readSetting>>, 'models'> {
  readonly experiment: ReturnType<typeof readExperiment>;
  readonly system: System;
  readonly options: PredictOptions;
}

/** Memory that a proposed ratio leaves free, of the GPU's and of the host's: a prediction is that good at best. */
const memoryMargin = 0.05;

/** The flags of a case, and what a prediction may assume. */
export interface PredictRequest extends PlanRequest {
  readonly pinnedRounding: PinnedRounding | null;
  readonly software: SoftwareName;
}

/** A case with what is expected of it. */
export interface PredictedCase {
  readonly case: Case;
  readonly parameters: number;
  readonly prediction: Prediction;
  /** 0 to 1; null without a step time or the chip's peak. */
  readonly mfu: number | null;
  /** Start, first step and all planned steps; null without a step time, and where it does not fit. */
  readonly runMs: number | null;
  /** Where it does not fit: flags with each of which it is predicted to. */
  readonly wouldFit: readonly string[];
}

export interface PredictReport {
  readonly system: System;
  readonly cases: readonly PredictedCase[];
  /** Cases that cannot run there at all, whatever the memory. */
  readonly skipped: readonly SkippedCase[];
  /** What holds for all of them. */
  readonly notes: readonly string[];
}

/**
 * Predicts memory and step time of the cases that flags name, sizes that do not fit included. Runs nothing, and needs
 * no stack and no GPU.
 * @throws SuperOffloadError 'usage' or 'config' with every fault.
 */
export async function predictCases(context: Context, request: PredictRequest): Promise<PredictReport> {
  const { machine, user, models, folders, deepspeed } = await readSetting(context, request);
  const { system } = machine;
  const experiment = readExperiment('throughput', folders);
  const { chips = 1 } = user.flags;
  const names = user.flags.models ?? entryFor(experiment[system.accelerator], chips).models;
  const grid = expandGrid(experiment, models, system, { ...user.flags, models: names });
  const laid = layoutOf(chips, system.chipsPerNode);
  const misfit = system.accelerator === 'cuda' && !laid.ok ? [laid.fault] : [];
  const faults = [...user.faults, ...grid.faults, ...misfit];
  if (faults.length > 0) throw faultsError('usage', faults);

  const options = optionsOf(request);
  const paper = system.link === 'c2c' ? paperHostNote(system, chips, options.exclusiveHost) : null;
  const { configs } = configureCases(grid.cases, user, deepspeed);
  const cases = configs.map(({ subject, config }) => {
    const known = predicted(subject, config, { system, options });
    if (known.prediction.fits) return known;
    const other = otherFlags(subject, { user, deepspeed, experiment, models, system, options });
    return { ...known, wouldFit: remediesOf(subject, other) };
  });
  const notes = [...new Set(cases.flatMap(({ prediction }) => prediction.notes))];
  return { system, cases, skipped: grid.skipped, notes: [...notes, ...(paper === null ? [] : [paper])] };
}

function optionsOf({ scheduling, software, pinnedRounding }: PredictRequest): PredictOptions {
  return {
    software,
    exclusiveHost: scheduling.exclusiveHost ?? false,
    ...(pinnedRounding === null ? {} : { pinnedRounding }),
  };
}

const readSections = ['zero_optimization', 'superoffload', 'data_types'] as const;

/** What the prediction reads of DeepSpeed's JSON is the whole of it, a file of the user's included. */
function configuredCase(subject: Case, config: JsonObject): Case {
  const settings = readSections.flatMap((section) =>
    Object.entries(objectAt(config, section)).map(([key, value]) => [`${section}.${key}`, value] as const),
  );
  return { ...subject, deepspeedOverrides: Object.fromEntries(settings) };
}

/** Predicts what is asked for with other flags in place of a case's own. */
function otherFlags(subject: Case, { experiment, models, system, options, ...assumed }: Setting): OtherFlags {
  const own = {
    models: [subject.model.name],
    modes: [subject.mode],
    sequenceLength: subject.sequenceLength,
  };
  const changed = (flags: ChangedFlags['flags']): Case | null => {
    const given = assumed.user.flags;
    const keys = [...(given.deepspeedOverrides ?? []), ...(flags.deepspeedOverrides ?? [])];
    const all = { ...given, ...own, ...flags, ...(keys.length === 0 ? {} : { deepspeedOverrides: keys }) };
    if (system.accelerator === 'cuda' && !layoutOf(all.chips ?? 1, system.chipsPerNode).ok) return null;
    const [other] = expandGrid(experiment, models, system, all).cases;
    return other === undefined ? null : configuredOrNull(other, assumed);
  };
  return {
    fits: ({ flags, exclusiveHost = options.exclusiveHost ?? false }) => {
      const other = changed(flags);
      return other !== null && predictFit(other, system, { ...options, exclusiveHost }).fits;
    },
    ratioOf: (mode) => {
      const other = changed({ modes: [mode] });
      return other === null ? null : smallestFittingRatio(other, system, { ...options, memoryMargin });
    },
  };
}

/** null where such a case is refused: it is no way out. */
function configuredOrNull(subject: Case, { user, deepspeed }: Assumed): Case | null {
  try {
    const [configured] = configureCases([subject], user, deepspeed).configs;
    return configured === undefined ? null : configuredCase(subject, configured.config);
  } catch (error) {
    if (error instanceof SuperOffloadError) return null;
    throw error;
  }
}

function predicted(
  subject: Case,
  config: JsonObject,
  { system, options }: { readonly system: System; readonly options: PredictOptions },
): PredictedCase {
  const configured = configuredCase(subject, config);
  const prediction = predictCase(configured, system, options);
  return {
    case: subject,
    parameters: parameterCount(subject.model, subject.sequenceLength),
    prediction,
    mfu: prediction.time === null ? null : mfu(prediction.time.tflops.modelTflops, system.peakTflops),
    runMs: prediction.fits ? predictDurationMs(configured, system, subject.steps) : null,
    wouldFit: [],
  };
}
