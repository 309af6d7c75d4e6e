import { shownLine } from '../../../text/plain.ts';
import { stackText, toolText } from '../../marks/comparable-set.ts';
import { layoutOf } from '../../../launch/layout.ts';
import { hasPaper, type FigureScene } from '../scene.ts';
import { differingConditions } from '../conditions.ts';
import type { Mark } from '../../figure-data.ts';
import { ownCase } from '../own-case.ts';

interface Told {
  readonly marks: readonly Mark[];
  /** What was left out and why. */
  readonly leftOut: readonly string[];
  /** Ids of runs whose numbers are none. */
  readonly faulty: readonly string[];
}

/** What is said below the picture: where each kind of number comes from, and what is not in it. */
export function footnotesOf(scene: FigureScene, { marks, leftOut, faulty }: Told): string[] {
  const has = (source: Mark['source']): boolean => marks.some((mark) => mark.source === source);
  return [
    ...(has('measured') ? [measuredNote(scene, marks), ...intervalNote(marks)] : []),
    ...unitNotes(scene),
    ...ownSettings(scene),
    ...(has('predicted') ? [predictedNote(scene)] : []),
    ...(scene.showPredicted && !scene.functional ? unpredictedNotes(scene, marks) : []),
    ...(hasPaper(scene)
      ? [`Paper: SuperOffload (ASPLOS '26, arXiv 2509.21271), ${scene.paper.reading}.`]
      : []),
    ...(leftOut.length === 0 ? [] : [`Left out: ${leftOut.join('; ')}.`]),
    ...faultyNote(faulty),
  ];
}

/** How many runs of when, and of which software. */
export function measuredNote({ trials }: Pick<FigureScene, 'trials'>, marks: readonly Mark[]): string {
  const ids = new Set(marks.flatMap(({ runIds }) => runIds));
  const records = trials.map(({ record }) => record).filter(({ runId }) => ids.has(runId));
  const stacks = [...new Set(records.map(({ stack }) => stackText(stack)))];
  const tools = [...new Set(records.map(({ tool }) => toolText(tool)))];
  const days = [...new Set(records.map(({ startedUtc }) => startedUtc.slice(0, 10)))].sort();
  const [first = 'no day', last = first] = [days[0], days.at(-1)];
  const workload = trials.at(-1)?.subject.workload === 'megatron' ? 'Megatron-DeepSpeed' : 'built-in trainer';
  const software = stacks.length === 1 ? stacks[0] : `${stacks.length} stacks: ${stacks.join(' and ')}`;
  const count = `${records.length} run${records.length === 1 ? '' : 's'}`;
  const when = first === last ? `of ${first}` : `of ${first} to ${last}`;
  return shownLine(
    `Measured: ${count} ${when}, ${software ?? 'unknown software'}, ${workload}, superoffload ${tools.join(' and ')}.`,
    400,
  );
}

/** How the intervals were taken. */
export function intervalNote(marks: readonly Mark[]): string[] {
  const bases = [...new Set(marks.flatMap(({ basis }) => (basis === null ? [] : [basis])))].sort();
  const few = bases.some((basis) => basis.startsWith('less'))
    ? ' (its steps were too few, or too alike)'
    : '';
  return bases.length === 0 ? [] : [`Intervals: ${bases.join(', ')}${few}.`];
}

function unitNotes(scene: FigureScene): string[] {
  const {
    figure,
    unit,
    system: { system },
  } = scene;
  if (unit === 'mfu') {
    const paper = hasPaper(scene) ? ', the paper does not say against what' : '';
    return [
      `MFU against ${system.peakTflops ?? 'an unknown number of'} TFLOPS a chip${paper}. Attention counts over the full s^2, of which a causal kernel executes about half: long sequences read high.`,
    ];
  }
  if (unit === 'tokens')
    return ['No peak is known of these chips, so there is no MFU, and nothing of the paper beside it.'];
  if (figure !== 13) return [];
  return [
    `Sizes here are counted parameters${hasPaper(scene) ? '; the paper prints the names of its sizes' : ''}.`,
  ];
}

/** What a prediction is made of. */
export function predictedNote({ unit, system }: Pick<FigureScene, 'unit' | 'system'>): string {
  const what = unit === 'billions' ? 'memory formulas' : 'memory formulas and a roofline of its rates';
  return `Predicted: for ${system.title} by ${what}, which were held against runs on H200 GPUs; nothing was run for it.`;
}

/** Cells of which nothing is predicted: those of part of a node, and those that fit and whose time is not known. */
function unpredictedNotes({ panels, series, system, unit }: FigureScene, marks: readonly Mark[]): string[] {
  if (unit === 'tokens') return [];
  const modeCount = series.filter(({ mode }) => mode !== null).length;
  const places = panels.flatMap((planned) => planned.places);
  const { chipsPerNode } = system.system;
  const partly = modeCount * places.filter(({ chips }) => !layoutOf(chips, chipsPerNode).ok).length;
  const predicted = marks.filter(({ source }) => source === 'predicted').length;
  const noRate = modeCount * places.length - predicted - partly;
  const cells = (count: number): string => `${count} cell${count === 1 ? '' : 's'}`;
  return [
    ...(partly > 0
      ? [`Nothing is predicted of ${cells(partly)}: the chips do not fill nodes of ${chipsPerNode}.`]
      : []),
    ...(noRate > 0
      ? [
          `No speed is predicted of ${cells(noRate)} that should fit: a rate that it takes is not known of ${system.title}.`,
        ]
      : []),
  ];
}

/** Where the runs were not made as the experiment has them. */
function ownSettings({ figure, experiment, system, trials }: FigureScene): string[] {
  const subject = trials.at(-1)?.subject;
  if (subject === undefined) return [];
  const own = ownCase(experiment, system.system, { ...subject, sequenceLength: null });
  const words = own === null ? [] : differingConditions(figure, subject, own);
  return words.length === 0
    ? []
    : [`The runs were not made as the experiment has it, but ${words.join(', ')}.`];
}

/** Runs with a number that no run can have. */
export function faultyNote(faulty: readonly string[]): string[] {
  if (faulty.length === 0) return [];
  const some = faulty.slice(0, 2).map((runId) => shownLine(runId, 80));
  const more = faulty.length > some.length ? ` and ${faulty.length - some.length} more` : '';
  return [`Left out, since a number of theirs is none that a run can have: ${some.join(', ')}${more}.`];
}
