import { readExperiment } from '../../adapters/experiment-data.ts';
import type { Case, System } from '../../core/experiment/case.ts';
import { distinctFaults } from '../../core/experiment/distinct-faults.ts';
import type { ExperimentFile } from '../../core/experiment/experiment-file.schema.ts';
import { entryFor } from '../../core/experiment/grid-batch.ts';
import { expandGrid } from '../../core/experiment/grid.ts';
import { noStepTime } from '../../core/model/predict.ts';
import { parameterCount } from '../../core/model/shape.ts';
import { missingRates } from '../../core/model/step-time.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { ratioFaults } from '../../core/deepspeed/ratio-faults.ts';
import { modesToTune } from '../../core/tune/modes-to-tune.ts';
import type { Candidate } from '../../core/tune/tuning.ts';
import { faultsError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { openPlanning, type Planning } from '../plan/planning.ts';
import { readSetting, type Setting } from '../plan/request.ts';
import { sizePlans, type SizePlan } from './size-plans.ts';
import type { TuneCommand } from './tune-request.ts';

export interface TunePlan {
  readonly command: TuneCommand;
  readonly planning: Planning;
  readonly experiment: ExperimentFile;
  readonly sizes: readonly SizePlan[];
  readonly notes: readonly string[];
  /** A candidate as the run that measures it. @throws SuperOffloadError as {@link Planning.planCases} */
  readonly planOf: (candidate: Pick<Candidate, 'subject' | 'bindCores'>) => RunPlan;
}

/** Cases of a tuning are those of `throughput`: it measures the choice again, and has measured some before. */
const experimentName = 'throughput';
/** Sizes of `--objective size`, where no `--model` names some. */
const sizesOf = 'model_size';

/**
 * Chooses what may be tried, and starts nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault; 'environment' where this machine cannot run it.
 */
export async function planTune(context: Context, command: TuneCommand): Promise<TunePlan> {
  const { modes: words, ...flags } = command.flags;
  const asked = words === undefined ? null : modesToTune(words);
  // A choice by prediction alone launches nothing: it may be for a machine that is not here.
  const dryRun = command.dryRun || command.budget.maxTrials === 0;
  // A JSON of the user's is a fault, and not read.
  const request = { ...command, flags, configFile: null, dryRun };
  const setting = await readSetting(context, request);
  const experiment = readExperiment(experimentName, setting.folders);
  const bases = basesOf(command, setting, experiment);
  const faults = [
    ...configFaults(command),
    ...(asked === null ? [] : asked.ok ? ratioFaults(asked.modes, flags.ratio) : asked.faults),
    ...bases.faults,
  ];
  if (faults.length > 0) throw faultsError('usage', distinctFaults(faults));
  const planning = await openPlanning(context, request, setting);
  const bound = command.bindsCores ? planning : undefined;
  const modes = asked === null || !asked.ok ? null : asked.modes;
  const sizes = sizePlans({ ...command, dryRun }, planning, bases.cases, modes);
  const candidates = sizes.flatMap(({ tuning }) => tuning.candidates);
  const withCores = candidates.some(({ bindCores }) => bindCores)
    ? (bound ?? (await openPlanning(context, { ...request, bindCores: true }, setting)))
    : planning;
  const planOf: TunePlan['planOf'] = ({ subject, bindCores }) => {
    const [plan] = (bindCores ? withCores : planning).planCases([subject]).plans;
    if (plan === undefined) throw new Error('a case has one plan');
    return plan;
  };
  // For another machine nothing runs: what its stack here lacks is of no matter.
  const isElsewhere = dryRun && planning.system.name !== 'local';
  // Of something that may be tried: what the bases lack says nothing.
  const ofCases = isElsewhere
    ? []
    : planning.planCases(candidates.slice(0, 1).map(({ subject }) => subject)).notes;
  const notes = [
    ...ofCases,
    ...(isElsewhere ? [] : planning.notes),
    ...unpredicted(candidates, planning.system),
  ];
  return { command, planning, experiment, sizes, notes, planOf };
}

/** Without step times a search begins with guesses: said once, for what the candidates lack between them. */
function unpredicted(candidates: readonly Candidate[], system: System): string[] {
  if (system.accelerator !== 'cuda') return [];
  const lacks = candidates
    .map(({ subject }) => missingRates(subject, system))
    .filter(({ length }) => length > 0);
  const missing = [...new Set(lacks.flat())];
  return missing.length === 0
    ? []
    : [noStepTime(system.name, missing, lacks.length < candidates.length ? ' of some ways' : '')];
}

/** A generated JSON is what comes out of a tuning; keys that must stay are `--ds`. */
function configFaults({ configFile }: TuneCommand): Fault[] {
  if (configFile === null) return [];
  const expected = '--ds KEY=VALUE for each key that must stay as it is';
  return [{ place: '--config', problem: 'is what a tuning writes, and none that it reads', expected }];
}

interface Bases {
  /** One a size, the smallest first, each without a mode of its own. */
  readonly cases: readonly Case[];
  readonly faults: readonly Fault[];
}

function basesOf({ objective }: TuneCommand, setting: Setting, experiment: ExperimentFile): Bases {
  const { machine, models, user, folders } = setting;
  const { accelerator } = machine.system;
  const listed = objective === 'size' ? readExperiment(sizesOf, folders) : experiment;
  const { models: names, globalBatch } = entryFor(listed[accelerator], user.flags.chips ?? 1);
  const givesBatch = user.flags.globalBatch !== undefined || user.flags.microBatch !== undefined;
  const shares = (user.flags.sequenceParallel ?? 1) > 1;
  const grid = expandGrid(experiment, models, machine.system, {
    ...user.flags,
    // The largest size is searched with the batch that `model-size` searches it with.
    ...(objective === 'size' && !givesBatch ? { globalBatch } : {}),
    // Any mode that the flags allow: only what all modes share is read of it.
    modes: [shares ? 'ulysses' : 'zero_offload'],
    models: user.flags.models ?? names,
  });
  const distinct = new Map(grid.cases.map((subject) => [shapeOf(subject), subject]));
  const cases = [...distinct.values()].sort((a, b) => parametersOf(a) - parametersOf(b));
  return { cases, faults: [...user.faults, ...grid.faults] };
}

/** Two names of one shape are one size. */
function shapeOf({ model: { layers, hidden, heads, paddedVocabulary } }: Case): string {
  return JSON.stringify([layers, hidden, heads, paddedVocabulary]);
}

function parametersOf({ model, sequenceLength }: Case): number {
  return parameterCount(model, sequenceLength);
}
