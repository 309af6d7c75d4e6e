import { groupBy } from '../../../collections/group-by.ts';
import { modes } from '../../../deepspeed/modes/registry.ts';
import type { Case, ModeName } from '../../../experiment/case.ts';
import { entryFor } from '../../../experiment/grid-batch.ts';
import { shapesNamed } from '../../../experiment/model-names.ts';
import type { PredictOptions } from '../../../model/predict.ts';
import type { FigureScene } from '../scene.ts';
import { comparableSet } from '../../marks/comparable-set.ts';
import type { Mark } from '../../figure-data.ts';
import { billions, frontierMark } from '../../marks/frontier-mark.ts';
import { markOf } from '../../marks/marks.ts';
import { measuredMark, type Measure } from '../../marks/measured-marks.ts';
import { ownCase } from '../own-case.ts';
import type { PlannedPanel, XPlace } from '../panels.ts';
import { placeKey, placeOf } from '../places.ts';
import type { Trial } from '../../trial.ts';

export interface MeasuredMarks {
  readonly marks: readonly Mark[];
  /** What was left out and why: one phrase for each reason. */
  readonly leftOut: readonly string[];
}

/** One mark for every place of every mode, run or not; none at all for a machine without a run of the figure. */
export function measuredMarks(scene: FigureScene): MeasuredMarks {
  if (scene.trials.length === 0) return { marks: [], leftOut: [] };
  const cells = groupBy(scene.trials, ({ subject }) => placeKey(placeOf(scene.figure, subject, scene.sizes)));
  const reasons = new Map<string, number>();
  const leave = (reason: string, count: number): void =>
    void reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  const marks = eachPlace(scene, (planned, place, mode) => {
    const at = { panel: planned.panel.key, series: mode, x: place.x };
    const trials = cells.get(placeKey({ panel: at.panel, x: at.x, mode })) ?? [];
    return cellMark(scene, { at, planned, place, mode, trials, leave });
  });
  const leftOut = [...reasons].map(([reason, count]) => `${count} run${count === 1 ? '' : 's'} ${reason}`);
  return { marks, leftOut };
}

/** Calls for every place of every mode. */
export function eachPlace(
  { panels, series }: FigureScene,
  make: (planned: PlannedPanel, place: XPlace, mode: ModeName) => Mark | null,
): Mark[] {
  return panels.flatMap((planned) =>
    series.flatMap(({ mode }) =>
      mode === null ? [] : planned.places.flatMap((place) => make(planned, place, mode) ?? []),
    ),
  );
}

interface Cell {
  readonly at: Pick<Mark, 'panel' | 'series' | 'x'>;
  readonly planned: PlannedPanel;
  readonly place: XPlace;
  readonly mode: ModeName;
  readonly trials: readonly Trial[];
  readonly leave: (reason: string, count: number) => void;
}

function cellMark(scene: FigureScene, { at, planned, place, mode, trials, leave }: Cell): Mark {
  const own = caseAt(scene, planned, place, mode);
  const batch = planned.paper?.globalBatch ?? null;
  const isFair = ({ subject }: Trial): boolean => batch === null || subject.globalBatch === batch;
  for (const trial of trials) {
    if (!isFair(trial))
      leave(`with global batch ${trial.subject.globalBatch} (the figure has ${batch ?? 'none'})`, 1);
  }
  const { kept, leftOut } = comparableSet(trials.filter(isFair), own);
  for (const [reason, count] of leftOut) leave(reason, count);
  const [first] = kept;
  if (first === undefined) {
    const cannot = scene.functional && modes[mode].needsCuda;
    const notes = cannot ? ['needs an NVIDIA GPU'] : [];
    return markOf({ ...at, source: 'measured', state: cannot ? 'unsupported' : 'not-run' }, { notes });
  }
  if (scene.figure === 13) return inUnit(scene, frontierMark(at, kept, edgeSetting(scene, place, mode)));
  const asked = own ?? first.subject;
  const mark = measuredMark(at, kept, asked, measures[scene.unit]);
  return { ...mark, notes: [...settingNotes(first.subject, asked), ...mark.notes] };
}

/** Sizes that CPUs can train are not written in billions: build-figure.ts names the unit. */
function inUnit({ functional }: FigureScene, mark: Mark): Mark {
  return functional && mark.value !== null ? { ...mark, value: 1000 * mark.value } : mark;
}

const measures = {
  tflops: ({ modelTflopsPerGpu }) => modelTflopsPerGpu,
  mfu: ({ mfu }) => (mfu === null ? null : 100 * mfu),
  tokens: ({ tokensPerSecond }) => tokensPerSecond,
  billions: () => null,
} as const satisfies Record<FigureScene['unit'], Measure>;

/** What this one bar has that the experiment does not. */
function settingNotes(subject: Case, own: Case): string[] {
  return [
    ...(subject.globalBatch === own.globalBatch ? [] : [`global batch ${subject.globalBatch}`]),
    ...(subject.ratio === own.ratio || subject.ratio === null ? [] : [`ratio ${subject.ratio}`]),
    ...(Object.keys(subject.deepspeedOverrides).length === 0 ? [] : ['DeepSpeed settings of its own']),
  ];
}

/**
 * The case of a place, in the conditions of the runs that are drawn; where none is in the panel, with the memory that
 * the experiment has. null where the figure looks for the largest.
 */
export function caseAt(
  scene: FigureScene,
  planned: PlannedPanel,
  place: XPlace,
  mode: ModeName,
): Case | null {
  const { chips, model, sequenceLength } = place;
  if (model === null) return null;
  const here = scene.trials.findLast(
    ({ subject }) => placeOf(scene.figure, subject, scene.sizes).panel === planned.panel.key,
  );
  const like = here ?? scene.trials.at(-1);
  return ownCase(
    scene.experiment,
    scene.system.system,
    { chips, mode, model, sequenceLength },
    { like: like?.subject ?? null, memory: here !== undefined },
  );
}

/** The experiment's sizes for a mode and number of chips, each shape once, rising. */
export function sizesAt(scene: FigureScene, { chips }: XPlace, mode: ModeName): Case[] {
  const { experiment, system, trials } = scene;
  const like = trials.at(-1)?.subject ?? null;
  const entry = entryFor(experiment[system.system.accelerator], chips);
  const { shapes } = shapesNamed(entry.models, scene.models);
  const cases = shapes.flatMap(
    (model) =>
      ownCase(
        experiment,
        system.system,
        { chips, mode, model, sequenceLength: null },
        { like, memory: true },
      ) ?? [],
  );
  const distinct = new Map(cases.map((subject) => [billions(subject), subject]));
  return [...distinct.values()].sort((a, b) => billions(a) - billions(b));
}

function edgeSetting(scene: FigureScene, place: XPlace, mode: ModeName) {
  return {
    cases: sizesAt(scene, place, mode),
    system: scene.system.system,
    options: predictOptions(scene),
    nameOf: ({ model }: Case) => scene.sizes.labelOf(model),
  };
}

/** Runs that took their nodes whole have other walls, and other steps. */
export function predictOptions({ trials }: Pick<FigureScene, 'trials'>): PredictOptions {
  return { exclusiveHost: trials.at(-1)?.record.placement?.exclusiveHost ?? false };
}
