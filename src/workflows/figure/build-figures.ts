import { join } from 'node:path';
import { dataFolders, readExperiment, readModels, scanSystems } from '../../adapters/experiment-data.ts';
import { readPaper } from '../../adapters/paper-data.ts';
import { buildFigure } from '../../core/figures/paper/build-figure.ts';
import { runsCommand } from '../../core/figures/paper/commands.ts';
import type { FigureData, FigureNumber } from '../../core/figures/figure-data.ts';
import { figureSystems, type FigureSystem } from '../../core/figures/figure-system.ts';
import { figureExperiments, trialsOf } from '../../core/figures/trial.ts';
import type { RecordSet } from '../../core/results/record-set.ts';
import type { RunRecord } from '../../core/results/record.ts';
import type { Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';
import { toolIdentity } from '../tool-identity.ts';
import { namedSystems, profileNamed, systemsFor, withRates } from './choose-systems.ts';

export interface FigureRequest {
  readonly figures: readonly FigureNumber[];
  /** A profile, or a machine as an earlier figure called it; absent: all that have runs. */
  readonly system?: string;
  /** What `--from` names; none means `runs`. */
  readonly from: readonly string[];
  /** Draw what the paper published. */
  readonly paper: boolean;
  /** Draw what is predicted. */
  readonly predicted: boolean;
}

export interface BuiltFigures {
  /** One for each figure and machine, in the order of the request. */
  readonly figures: readonly FigureData[];
  /** Which figures have no runs, and which command makes them. */
  readonly notes: readonly string[];
  /** What of the sources could not be used and why. */
  readonly unread: readonly string[];
}

/**
 * Builds figures of stored runs.
 * @throws SuperOffloadError 'usage' for a system or a source that is nothing of the kind.
 */
export async function buildFigures(context: Context, request: FigureRequest): Promise<BuiltFigures> {
  const set = await readRecords(context, request.from);
  return figuresOf(context, set, request);
}

/** As {@link buildFigures}, of records that are read already. */
export async function figuresOf(
  context: Context,
  { records, notes }: RecordSet,
  request: Omit<FigureRequest, 'from'>,
): Promise<BuiltFigures> {
  const folders = dataFolders(context);
  const scanned = scanSystems(folders);
  const machines = figureSystems(records.map(({ record }) => record)).map((system) =>
    withRates(system, scanned.systems),
  );
  const named = await namedSystems(context, request.system, machines);
  const [paper, { version }] = [readPaper(context), await toolIdentity(context)];
  const own = readModels([join(context.packageRoot, 'experiment')]);
  const models = Object.fromEntries(own.map(({ shape }) => [shape.name, shape]));
  const figures: FigureData[] = [];
  const more: string[] = [];
  for (const figure of request.figures) {
    const experiment = readExperiment(figureExperiments[figure], folders);
    const chosen =
      named === null ? await systemsFor(context, figure, machines) : { systems: named, note: null };
    if (chosen.note !== null) more.push(chosen.note);
    for (const system of chosen.systems) {
      const { paper: showPaper, predicted: showPredicted } = request;
      const inputs = { figure, paper, experiment, models, system, showPaper, showPredicted, tool: version };
      const built = buildFigure(inputs);
      if (built !== null) figures.push(built);
      more.push(...adviceOn(context, { figure, system, built, machines }));
    }
  }
  return { figures, notes: more, unread: notes };
}

interface Advised {
  readonly figure: FigureNumber;
  readonly system: FigureSystem;
  readonly built: FigureData | null;
  readonly machines: readonly FigureSystem[];
}

/** Says which command makes the runs where there is none, and which machines have some. */
function adviceOn(
  context: Context,
  { figure, system: { title, system, records }, built, machines }: Advised,
): string[] {
  const hasRuns = (own: readonly RunRecord[]): boolean => trialsOf(figure, own).trials.length > 0;
  if (hasRuns(records)) return [];
  const shown = built === null ? 'there is nothing to draw' : 'prediction and paper alone are drawn';
  const command = runsCommand(figure, profileNamed(context, system.name));
  const others = machines.filter((machine) => hasRuns(machine.records)).map(({ name }) => `--system ${name}`);
  return [
    `figure ${figure}: no run on ${title}, ${shown}; to make runs there: ${command}`,
    ...(others.length === 0 ? [] : [`figure ${figure}: there are runs of ${others.join(', ')}`]),
  ];
}
