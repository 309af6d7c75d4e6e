import { groupBy } from '../../collections/group-by.ts';
import { modes } from '../../deepspeed/modes/registry.ts';
import type { Case } from '../../experiment/case.ts';
import type { ExperimentFile } from '../../experiment/experiment-file.schema.ts';
import type { ModelTable } from '../../experiment/model-names.ts';
import type { RunRecord } from '../../results/record.ts';
import { speedDifferences } from '../paper/notes/differences.ts';
import type { FigureData, Mark, Series } from '../figure-data.ts';
import { predictOptions } from '../paper/cells/measured-cells.ts';
import { comparableSet } from '../marks/comparable-set.ts';
import type { FigureSystem } from '../figure-system.ts';
import { faultyNote, intervalNote, measuredNote, predictedNote } from '../paper/notes/footnotes.ts';
import type { PaperFile } from '../paper/paper-file.schema.ts';
import { abandonedText, trialsWhere, type Trial, type Trials } from '../trial.ts';
import type { AblationData } from './ablation-data.ts';
import { measuredOf, paperSeries, predictedOf, publishedOf, type PlaceMarks } from './place-marks.ts';
import { ablationPlaces, panelOf, settingKey, type AblationPlace } from './places.ts';
import { rowOf } from './row.ts';

/** Everything that an ablation of one machine is made from. */
export interface AblationInputs {
  readonly experiment: ExperimentFile;
  /** Sizes by name. */
  readonly models: ModelTable;
  readonly paper: PaperFile;
  readonly system: FigureSystem;
  readonly showPaper: boolean;
  readonly showPredicted: boolean;
  /** The version of this tool. */
  readonly tool: string;
}

/** A row with all that is known of it. */
interface Shown extends PlaceMarks {
  readonly place: AblationPlace;
  readonly predicted: Mark | null;
  readonly published: Mark | null;
}

/** Runs of an ablation's rows, whatever experiment they were made for. */
export function ablationTrials({
  experiment,
  models,
  system,
}: Pick<AblationInputs, 'experiment' | 'models' | 'system'>): Trials {
  const places = ablationPlaces(experiment, system.system.accelerator, models);
  const wanted = new Set(places.map(({ subject }) => settingKey(subject)));
  return trialsWhere(system.records, (subject) => wanted.has(settingKey(subject)));
}

/**
 * The ablation of one machine: each row's runs beside what is predicted of it and what the paper's Table 2 has, and its
 * speed against the first of its panel.
 * @returns null where there is nothing to draw
 */
export function buildAblation(inputs: AblationInputs): AblationData | null {
  const { trials, faulty, abandoned } = ablationTrials(inputs);
  const shown = shownRows(inputs, trials);
  const panels = [...groupBy(shown, ({ place }) => place.panel)].filter(([, rows]) => rows.some(hasNumber));
  if (panels.length === 0) return null;
  const rows = panels.flatMap(([, own]) => own);
  const marks = rows.flatMap((row) => marksOf(row, trials.length > 0));
  const { system, tool, paper } = inputs;
  const functional = system.system.accelerator === 'cpu';
  const published = marks.some(({ source }) => source === 'published');
  const subject = (trials.at(-1)?.subject ?? rows[0]?.place.subject) || null;
  const picture: FigureData = {
    ...{ schemaVersion: 1, figure: 'ablation', title: 'each setting on and off', shape: 'bars' },
    unit: `TFLOPS per ${functional ? 'CPU rank' : 'GPU'}, recomputation excluded`,
    system: { name: system.name, title: system.title },
    functional,
    panels: panels.map(([key, own]) =>
      panelOf(
        key,
        own.map(({ place }) => place),
      ),
    ),
    series: seriesOf(marks),
    marks,
    differences: published ? speedDifferences(subject, system.system, paper.conditions) : [],
    footnotes: [...footnotesOf(inputs, rows, marks, { trials, abandoned }), ...faultyNote(faulty)],
    tool,
  };
  return { schemaVersion: 1, rows: rows.map(({ place, ...known }) => rowOf(place, known)), picture };
}

function shownRows(inputs: AblationInputs, trials: readonly Trial[]): Shown[] {
  const { experiment, models, system, showPaper, showPredicted, paper } = inputs;
  const { accelerator } = system.system;
  const isGpu = accelerator === 'cuda';
  const options = predictOptions({ trials });
  const bySetting = groupBy(trials, ({ subject }) => settingKey(subject));
  const trialsFor = (subject: Case): readonly Trial[] => bySetting.get(settingKey(subject)) ?? [];
  return ablationPlaces(experiment, accelerator, models).map((place) => {
    const { kept } = comparableSet(trialsFor(place.baseline), place.baseline);
    const baseline = kept.map(({ record }): RunRecord => record);
    return {
      place,
      ...measuredOf(place, trialsFor(place.subject), baseline),
      predicted: showPredicted && isGpu ? predictedOf(place, system.system, options) : null,
      published: showPaper && isGpu ? publishedOf(place, paper) : null,
    };
  });
}

function hasNumber({ measured, predicted, published }: Shown): boolean {
  return measured.state !== 'not-run' || predicted !== null || published !== null;
}

/** Of a machine without any run nothing is said to be not run. */
function marksOf({ measured, predicted, published }: Shown, hasRuns: boolean): Mark[] {
  return [hasRuns ? measured : null, predicted, published].filter((mark) => mark !== null);
}

function seriesOf(marks: readonly Mark[]): Series[] {
  const keys = new Set(marks.map(({ series }) => series));
  const known = Object.values(modes).filter(({ name }) => keys.has(name));
  return known.map(({ name, title }) => ({
    key: name,
    title: name === paperSeries ? 'SuperOffload (PRISM)' : title,
  }));
}

function footnotesOf(
  { system, paper }: AblationInputs,
  rows: readonly Shown[],
  marks: readonly Mark[],
  { trials, abandoned }: Pick<Trials, 'trials' | 'abandoned'>,
): string[] {
  const has = (source: Mark['source']): boolean => marks.some((mark) => mark.source === source);
  const leftOut = new Map<string, number>();
  for (const [reason, count] of rows.flatMap((row) => [...row.leftOut]))
    leftOut.set(reason, (leftOut.get(reason) ?? 0) + count);
  const left = [...leftOut].map(([reason, count]) => `${count} run${count === 1 ? '' : 's'} ${reason}`);
  left.push(...abandonedText(abandoned));
  const { table2 } = paper;
  return [
    ...(has('measured') ? [measuredNote({ trials }, marks), ...intervalNote(marks)] : []),
    ...(has('predicted')
      ? [
          predictedNote({ unit: 'tflops', system }),
          'Nothing is predicted of settings that the model does not know.',
        ]
      : []),
    ...(has('published')
      ? [
          `Paper: SuperOffload (ASPLOS '26, arXiv 2509.21271), Table 2, ${table2.title}, as printed; its steps stand beside those here that do the same, in another implementation.`,
        ]
      : []),
    ...(left.length === 0 ? [] : [`Left out: ${left.join('; ')}.`]),
  ];
}
