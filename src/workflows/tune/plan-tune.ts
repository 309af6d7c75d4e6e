import { readExperiment } from '../../adapters/experiment-data.ts';
import { sha256 } from '../../adapters/campaign-store.ts';
import { canonicalJson } from '../../core/experiment/case-id.ts';
import type { Case } from '../../core/experiment/case.ts';
import { distinctFaults } from '../../core/experiment/distinct-faults.ts';
import type { ExperimentFile } from '../../core/experiment/experiment-file.schema.ts';
import { entryFor } from '../../core/experiment/grid-batch.ts';
import { expandGrid } from '../../core/experiment/grid.ts';
import { parameterCount } from '../../core/model/shape.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { modesToTune } from '../../core/tune/modes-to-tune.ts';
import type { Proposal } from '../../core/tune/propose.ts';
import type { TuneRequest } from '../../core/tune/request.ts';
import { startTuning } from '../../core/tune/search-state.ts';
import type { Candidate, Tuning } from '../../core/tune/tuning.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { openPlanning, type Planning } from '../plan/planning.ts';
import { readSetting, type Setting } from '../plan/request.ts';
import type { TuneCommand } from './tune-request.ts';

/** One tuning: of one size, or with `--objective size` of all that may be the largest. */
export interface SizePlan {
  /** What the files of the choice are called, without their ending. */
  readonly name: string;
  /** Sixteen hexadecimal digits over what is asked: equal keys are one tuning, whatever its budget. */
  readonly key: string;
  readonly request: TuneRequest;
  /** The search before its first trial. */
  readonly tuning: Tuning;
  readonly rejected: Proposal['rejected'];
}

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
  // A JSON of the user's is a fault, and not read.
  const request = { ...command, flags, configFile: null };
  const setting = await readSetting(context, request);
  const experiment = readExperiment(experimentName, setting.folders);
  const bases = basesOf(command, setting, experiment);
  const faults = [
    ...configFaults(command),
    ...(asked === null || asked.ok ? [] : asked.faults),
    ...bases.faults,
  ];
  if (faults.length > 0) throw faultsError('usage', distinctFaults(faults));
  const planning = await openPlanning(context, request, setting);
  const bound = command.bindsCores ? planning : undefined;
  const modes = asked === null || !asked.ok ? null : asked.modes;
  const sizes = sizePlans(command, planning, bases.cases, modes);
  const candidates = sizes.flatMap(({ tuning }) => tuning.candidates);
  const withCores = candidates.some(({ bindCores }) => bindCores)
    ? (bound ?? (await openPlanning(context, { ...request, bindCores: true }, setting)))
    : planning;
  const planOf: TunePlan['planOf'] = ({ subject, bindCores }) => {
    const [plan] = (bindCores ? withCores : planning).planCases([subject]).plans;
    if (plan === undefined) throw new Error('a case has one plan');
    return plan;
  };
  const { notes } = planning.planCases(bases.cases.slice(0, 1));
  return { command, planning, experiment, sizes, notes: [...notes, ...planning.notes], planOf };
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

function sizePlans(
  command: TuneCommand,
  planning: Planning,
  bases: readonly Case[],
  modes: TuneRequest['modes'],
): SizePlan[] {
  const groups = command.objective === 'size' ? [bases] : bases.map((base) => [base]);
  const isNamed = command.flags.models !== undefined;
  const sizes = groups.flatMap((group): SizePlan[] => {
    const [base] = group;
    if (base === undefined) return [];
    const request = requestFor(command, planning, { base, modes, models: group.map(({ model }) => model) });
    const started = startTuning(request, planning.system);
    return [{ name: nameOf(request), key: keyOf(request, planning.system.name), request, ...started }];
  });
  const fitting = sizes.filter(({ tuning }) => tuning.candidates.length > 0);
  // A size that nobody named and that fits in no way is left out, as `throughput` leaves it out.
  if (fitting.length > 0) return isNamed ? sizes : fitting;
  const reasons = sizes.flatMap(({ rejected }) => rejected).map(rejectedText);
  throw new SuperOffloadError({
    code: 'environment',
    message: ['nothing fits here', ...reasons].join('\n'),
    hint: 'name a smaller --model; see `superoffload models --memory`',
  });
}

function rejectedText({ subject: { mode, model }, reason }: Proposal['rejected'][number]): string {
  return `${mode} ${model.name}: ${reason}`;
}

function requestFor(
  { objective, budget, flags, scheduling, bindsCores, dryRun }: TuneCommand,
  { machine, overlay, stack, system }: Planning,
  of: Pick<TuneRequest, 'base' | 'models' | 'modes'>,
): TuneRequest {
  // Of another machine nobody has looked at this one's nodes, and the stack here is not the one there.
  return {
    objective,
    budget,
    ...of,
    fixed: {
      microBatch: flags.microBatch ?? null,
      activationCheckpointing: flags.activationCheckpointing ?? null,
      activationOffload: flags.activationOffload ?? null,
      ratio: flags.ratio ?? null,
      bindCores: bindsCores ? true : null,
    },
    exclusiveHost: scheduling.exclusiveHost ?? false,
    numaNodes: system.name === 'local' ? machine.facts.cpu.numaNodes : null,
    hasOverlay: overlay === null || (dryRun && stack?.accelerator !== system.accelerator),
  };
}

/** `2B-1chip-b8-s1024`; with `--objective size` the model is what is searched. */
function nameOf({ objective, base, models }: TuneRequest): string {
  const size = objective === 'size' ? 'largest' : (models[0]?.name ?? '').toLowerCase();
  const plain = size.replaceAll(/[^a-z0-9.]+/g, '-');
  return `${plain}-${base.chips}chip-b${base.globalBatch}-s${base.sequenceLength}`;
}

function keyOf(request: TuneRequest, system: string): string {
  const { objective, base, models, modes, fixed, exclusiveHost, budget } = request;
  const { memoryMargin } = budget;
  const what = { objective, base, models, modes, fixed, exclusiveHost, memoryMargin, system };
  return sha256(canonicalJson(what)).slice(0, 16);
}
