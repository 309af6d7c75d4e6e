import { modes } from '../../deepspeed/modes/registry.ts';
import type { Case, ModeName } from '../../experiment/case.ts';
import type { ExperimentFile } from '../../experiment/experiment-file.schema.ts';
import { entryFor } from '../../experiment/grid-batch.ts';
import type { ModelTable } from '../../experiment/model-names.ts';
import { chooseConditions } from './conditions.ts';
import type { FigureNumber } from '../figure-data.ts';
import type { FigureSystem } from '../figure-system.ts';
import { ownCase } from './own-case.ts';
import type { PaperFile } from './paper-file.schema.ts';
import { paperFigure, paperSeries, type PaperFigure, type PaperSeries } from './paper.ts';
import { planPanels, type PlannedPanel } from './panels.ts';
import { placeKey, placeOf, sizesOf, type Sizes } from './places.ts';
import { abandonedText, trialsOf, type Trial } from '../trial.ts';

/** Everything that one figure of one machine is made from. */
export interface FigureInputs {
  readonly figure: FigureNumber;
  readonly paper: PaperFile;
  /** The experiment that the figure's runs are of. */
  readonly experiment: ExperimentFile;
  /** The package's sizes, by name: what the paper's names mean. */
  readonly models: ModelTable;
  readonly system: FigureSystem;
  readonly showPaper: boolean;
  readonly showPredicted: boolean;
  /** The version of this tool. */
  readonly tool: string;
}

/** What all parts of a figure are built with. */
export interface FigureScene extends Omit<FigureInputs, 'paper'> {
  readonly paperFile: PaperFile;
  readonly paper: PaperFigure;
  readonly sizes: Sizes;
  readonly functional: boolean;
  /** What is shown of a run's speed: MFU only where the chip's peak is known. */
  readonly unit: 'tflops' | 'mfu' | 'tokens' | 'billions';
  readonly series: readonly PaperSeries[];
  readonly panels: readonly PlannedPanel[];
  /** Runs that may stand in one picture, oldest first. */
  readonly trials: readonly Trial[];
}

/** Runs that are not in the scene. */
export interface NotInScene {
  /** What was left out and why. */
  readonly leftOut: readonly string[];
  /** Ids of runs whose numbers are none that a run can have. */
  readonly faulty: readonly string[];
}

/** Chooses what one picture can show: which runs, which panels, which modes. */
export function sceneOf(inputs: FigureInputs): { readonly scene: FigureScene; readonly rest: NotInScene } {
  const { figure, system } = inputs;
  const { trials, faulty, abandoned } = trialsOf(figure, system.records);
  const paper = paperFigure(inputs.paper, figure);
  const preferred = paper.panels.flatMap(({ x, model }) => (model === null ? x : [model]));
  const paperChips = figure === 13 ? paper.panels.flatMap(({ x }) => x.map(Number)) : [];
  const sizes = sizesOf(inputs.models, preferred, paperChips);
  const cellOf = (subject: Case): string => placeKey(placeOf(figure, subject, sizes));
  const { kept, leftOut } = chooseConditions(figure, trials, experimentCase(inputs, trials), cellOf);
  const functional = system.system.accelerator === 'cpu';
  const { paper: paperFile, ...others } = inputs;
  const scene: FigureScene = {
    ...{ ...others, paperFile, paper, sizes, functional, trials: kept },
    unit: unitOf(inputs),
    panels: planPanels({ figure, paper, models: inputs.models, sizes, functional }, kept),
    series: seriesOf(inputs, paper, kept),
  };
  return { scene, rest: { leftOut: [...leftOut, ...abandonedText(abandoned)], faulty } };
}

/** The paper stands only beside what it can be compared with. */
export function hasPaper({
  showPaper,
  functional,
  unit,
}: Pick<FigureScene, 'showPaper' | 'functional' | 'unit'>): boolean {
  return showPaper && !functional && unit !== 'tokens';
}

function unitOf({ figure, system: { system } }: FigureInputs): FigureScene['unit'] {
  if (figure === 13) return 'billions';
  if (figure !== 12) return 'tflops';
  return system.accelerator === 'cuda' && system.peakTflops !== null ? 'mfu' : 'tokens';
}

/** A case of the experiment as it is, for what the runs' conditions are compared with. */
function experimentCase({ experiment, models, system }: FigureInputs, trials: readonly Trial[]) {
  const like = trials.at(-1)?.subject;
  const model = like?.model ?? Object.values(models)[0];
  if (model === undefined) return null;
  const { chips = 1, mode = 'prism' } = like ?? {};
  return ownCase(experiment, system.system, { chips, mode, model, sequenceLength: null });
}

/** The paper's systems in its order, then modes that only runs have; on CPUs those of the experiment. */
function seriesOf(inputs: FigureInputs, paper: PaperFigure, trials: readonly Trial[]): PaperSeries[] {
  const { experiment, system, showPaper } = inputs;
  const { accelerator } = system.system;
  const section = experiment[accelerator];
  const first =
    accelerator === 'cpu'
      ? (entryFor(section, trials[0]?.subject.chips ?? 1).modes ?? section.modes).map(modeSeries)
      : paperSeries(inputs.paper, paper).filter(({ mode }) => showPaper || mode !== null);
  const known = new Set(first.map(({ key }) => key));
  const ran = [...new Set(trials.map(({ subject }) => subject.mode))].filter((mode) => !known.has(mode));
  return [...first, ...ran.sort().map(modeSeries)];
}

function modeSeries(mode: ModeName): PaperSeries {
  return { key: mode, title: modes[mode].title, mode };
}
