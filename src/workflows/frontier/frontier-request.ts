import { groupBy } from '../../core/collections/group-by.ts';
import { readExperiment } from '../../adapters/experiment-data.ts';
import type { Case } from '../../core/experiment/case.ts';
import { distinctFaults } from '../../core/experiment/distinct-faults.ts';
import type { ExperimentFile } from '../../core/experiment/experiment-file.schema.ts';
import { expandGrid, type Grid } from '../../core/experiment/grid.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { predictCase } from '../../core/model/predict.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { openPlanning } from '../plan/planning.ts';
import { readSetting, type PlanRequest, type Setting } from '../plan/request.ts';
import type { AxisSearch, FrontierPlan } from './frontier.ts';

export interface FrontierRequest extends PlanRequest {
  /** Step of the finer search: layers, or tokens; null: the candidates of the experiment are enough. */
  readonly resolution: number | null;
  /** Launches everything anew, whatever earlier runs have shown. */
  readonly fresh: boolean;
}

/** What a verb adds to an experiment: which cases are candidates of which search. */
export interface FrontierVerb {
  readonly experiment: string;
  /** Sizes or lengths were given: each is launched. */
  readonly isGiven: (flags: GridFlags) => boolean;
  /** The flags of each grid that is expanded: one a length, or one of all sizes. */
  readonly gridFlags: (
    experiment: ExperimentFile,
    setting: Setting,
    flags: GridFlags,
  ) => readonly GridFlags[];
  /** The candidates of one search share it. */
  readonly keyOf: (subject: Case) => string;
  /** Candidates stand in its order. */
  readonly orderOf: (subject: Case) => number;
  readonly between: (step: number) => NonNullable<FrontierPlan['between']>;
  readonly nameOf: (subject: Case) => string;
}

/**
 * Reads what a search needs and starts nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault; 'environment' where this machine cannot run it.
 */
export async function planFrontier(
  context: Context,
  request: FrontierRequest,
  verb: FrontierVerb,
): Promise<FrontierPlan> {
  const setting = await readSetting(context, request);
  const { machine, user, models, folders } = setting;
  const experiment = readExperiment(verb.experiment, folders);
  const grids = verb
    .gridFlags(experiment, setting, user.flags)
    .map((flags) => expandGrid(experiment, models, machine.system, flags));
  // What is wrong with one length is wrong with all of them.
  const wrong = grids.find((grid) => grid.faults.length > 0)?.faults ?? [];
  const faults = distinctFaults([...user.faults, ...wrong]);
  if (faults.length > 0) throw faultsError('usage', faults);
  const searches = searchesOf(grids, verb);
  const planning = await openPlanning(context, request, setting);
  const { exclusiveHost = false } = request.scheduling;
  const { resolution } = request;
  const isGiven = verb.isGiven(user.flags);
  // All are checked before the first is launched. What may not fit is what a search is about.
  const planned = planning.planCases(searches.flatMap((search) => search.cases));
  const notes = isGiven ? planned.notes : planned.notes.filter((note) => !note.includes(' may not fit: '));
  return {
    planning,
    searches,
    skipped: oneEachMode(grids.flatMap((grid) => grid.skipped)),
    isGiven,
    resumes: !request.fresh,
    between: resolution === null ? null : verb.between(resolution),
    nameOf: verb.nameOf,
    predict: (subject) => predictCase(subject, machine.system, { exclusiveHost }),
    notes: [...notes, ...planning.notes],
  };
}

/** One search a mode (and model), its candidates rising. */
function searchesOf(grids: readonly Grid[], { keyOf, orderOf }: FrontierVerb): AxisSearch[] {
  const groups = groupBy(
    grids.flatMap((grid) => grid.cases),
    keyOf,
  );
  return [...groups.values()].flatMap((cases): AxisSearch[] => {
    const [first] = cases;
    return first === undefined
      ? []
      : [{ mode: first.mode, cases: cases.sort((a, b) => orderOf(a) - orderOf(b)) }];
  });
}

/** A mode that this machine cannot run is said once, not once a candidate. */
function oneEachMode(skipped: Grid['skipped']): Grid['skipped'] {
  return [...new Map(skipped.map((item) => [item.case.mode, item])).values()];
}
