import type { Case } from '../../experiment/case.ts';
import type { FigureNumber } from '../figure-data.ts';
import type { Trial } from '../trial.ts';

/** What all bars of one picture have in common, in words: two dtypes never stand side by side as if they were one. */
type Conditions = Readonly<Record<string, string>>;

/** @returns what must be equal in all runs of a figure, by the name that a left-out run is told of with. */
function conditionsOf(figure: FigureNumber, subject: Case): Conditions {
  const all = {
    workload: subject.workload,
    dtype: subject.dtype,
    attention: subject.attention,
    clipping: String(subject.gradientClipping),
    dropout: String(subject.dropout),
    '16-bit loss': String(subject.fp16LmCrossEntropy),
    data: subject.dataPath === null ? 'generated' : 'of a file',
  };
  const memory = {
    recomputation: String(subject.activationCheckpointing),
    'activation offload': String(subject.activationOffload),
  };
  const sequence = { sequence: String(subject.sequenceLength) };
  switch (figure) {
    case 10:
    case 11:
      return { ...all, ...sequence, 'sequence-parallel': String(subject.sequenceParallel) };
    case 12:
      return { ...all, ...memory };
    case 13: {
      const batch = `${subject.microBatch} x ${subject.gradientAccumulation}`;
      return { ...all, ...memory, ...sequence, 'micro-batch x accumulation': batch };
    }
  }
}

export interface Chosen {
  readonly kept: readonly Trial[];
  /** What was left out and why: one phrase for each reason. */
  readonly leftOut: readonly string[];
}

/**
 * Chooses the runs that may stand in one picture: those of the conditions that fill most of its cells; of equals those
 * that the experiment has, then the newest.
 * @param own a case as the experiment has it
 * @param cellOf the place of a run in the picture
 */
export function chooseConditions(
  figure: FigureNumber,
  trials: readonly Trial[],
  own: Case | null,
  cellOf: (subject: Case) => string,
): Chosen {
  const groups = new Map<string, { readonly what: Conditions; trials: Trial[]; cells: Set<string> }>();
  for (const trial of trials) {
    const what = conditionsOf(figure, trial.subject);
    const key = JSON.stringify(what);
    const group = groups.get(key) ?? { what, trials: [], cells: new Set() };
    group.trials.push(trial);
    group.cells.add(cellOf(trial.subject));
    groups.set(key, group);
  }
  const wanted = own === null ? '' : JSON.stringify(conditionsOf(figure, own));
  const rank = [...groups].sort(
    ([keyA, a], [keyB, b]) =>
      b.cells.size - a.cells.size ||
      Number(keyB === wanted) - Number(keyA === wanted) ||
      compareText(newest(b.trials), newest(a.trials)),
  );
  const [best, ...others] = rank.map(([, group]) => group);
  if (best === undefined) return { kept: [], leftOut: [] };
  return {
    kept: best.trials,
    leftOut: others.map(({ what, trials: left }) => leftOutText(left.length, what, best.what)),
  };
}

function newest(trials: readonly Trial[]): string {
  return trials.at(-1)?.record.startedUtc ?? '';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How a case differs from the experiment's in what a figure's runs have in common: `with dtype fp16 (the experiment: bf16)`. */
export function differingConditions(figure: FigureNumber, subject: Case, own: Case): string[] {
  return differing(conditionsOf(figure, subject), conditionsOf(figure, own), 'the experiment');
}

/** What is on or off is said so: `without recomputation`. */
function differing(what: Conditions, other: Conditions, whose: string): string[] {
  return Object.entries(what)
    .filter(([name, value]) => other[name] !== value)
    .map(([name, value]) => {
      if (value === 'true' || value === 'false') return `${value === 'true' ? 'with' : 'without'} ${name}`;
      return `with ${name} ${value} (${whose}: ${other[name] ?? 'none'})`;
    });
}

function leftOutText(count: number, what: Conditions, drawn: Conditions): string {
  return `${count} run${count === 1 ? '' : 's'} ${differing(what, drawn, 'drawn').join(', ')}`;
}
