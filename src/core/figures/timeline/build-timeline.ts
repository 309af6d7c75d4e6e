import { isOverlayMode, modes } from '../../deepspeed/modes/registry.ts';
import type { ModeName } from '../../experiment/case.ts';
import { distinctTexts } from '../render/drawing/picture-text.ts';
import { boundsOf } from './bounds.ts';
import type { PictureRuns } from './choose-runs.ts';
import { afterAdamMs, lanesOf } from './lanes.ts';
import { partMsOf, type LinkUse } from './part-times.ts';
import { knownRates, type KnownRates, type MeasuredLimits } from './rates.ts';
import { timelineNotes } from './timeline-notes.ts';
import type { Bounds, TimelineData, TimelineRow } from './timeline-data.ts';
import { subjectTexts, type TracedRun } from './traced-run.ts';

/** As many cells as the picture's plot is wide, in pixels. */
export const plotCells = 560;

/** Of the axis beyond the last step. */
const axisRoom = 1.01;

interface TimelineInputs extends PictureRuns {
  /** Of this machine, where somebody measured it; null: its profile's rates alone. */
  readonly limits: MeasuredLimits | null;
  /** The version of this tool. */
  readonly tool: string;
}

/** What a picture of these steps shows. */
export function buildTimeline({ machine, runs, limits, tool }: TimelineInputs): TimelineData {
  const functional = runs.some((run) => run.functional);
  const known = functional ? null : knownRates(machine.rates, limits);
  const rates = known === null || 'missing' in known ? null : known;
  const bounds = runs.map((run) => boundsFor(run, rates));
  const ends = [
    ...runs.map(({ timeline }) => timeline.stepMs),
    ...bounds.map((each) => each?.dependentMs ?? 0),
  ];
  const axisMs = Math.max(...ends) * axisRoom;
  const { conditions, titles, size } = namesOf(runs);
  const rows = runs.map((run, index) =>
    rowOf(run, {
      title: titles[index] ?? run.title,
      bounds: bounds[index] ?? null,
      cellMs: axisMs / plotCells,
    }),
  );
  return {
    ...{ schemaVersion: 1, figure: 'timeline', functional, axisMs, size, conditions, rows, tool },
    title: size === null ? 'One optimizer step' : `One optimizer step of ${size}`,
    system: { name: machine.name, title: machine.title },
    footnotes: timelineNotes(rows, { rates: known, functional }),
  };
}

function boundsFor({ demand, functional }: TracedRun, rates: KnownRates | null): Bounds | null {
  return demand === null || functional || rates === null ? null : boundsOf(demand, rates);
}

interface RowWords {
  readonly title: string;
  readonly bounds: Bounds | null;
  readonly cellMs: number;
}

function rowOf(
  { timeline, runId, mode, usualStepMs }: TracedRun,
  { title, bounds, cellMs }: RowWords,
): TimelineRow {
  return {
    ...{ runId, mode, title, usualStepMs, bounds },
    iteration: timeline.iteration,
    stepMs: timeline.stepMs,
    lanes: lanesOf(timeline, cellMs),
    partMs: partMsOf(timeline, linkUse(mode)),
    afterAdamMs: afterAdamMs(timeline),
  };
}

/** Of a run of no known mode: as DeepSpeed's ZeRO does it. */
function linkUse(mode: ModeName | null): LinkUse {
  return {
    returnsEarly: mode !== null && isOverlayMode(mode),
    fetchesWeights: mode !== null && modes[mode].offloadsParameters,
  };
}

/** What all runs have in common stands above the picture once, what they have not in the title of each. */
function namesOf(runs: readonly TracedRun[]): {
  readonly conditions: readonly string[];
  readonly titles: readonly string[];
  readonly size: string | null;
} {
  const texts = runs.map((run) => subjectTexts(run.subject));
  const [first = []] = texts;
  const common = first.filter((text) => texts.every((each) => each.includes(text)));
  const [size] = first;
  const hasSize = size !== undefined && common.includes(size);
  const titles = runs.map(({ title, ratio, settings }, index) => {
    const own = (texts[index] ?? []).filter((text) => !common.includes(text));
    const set = [...(ratio === null ? [] : [`ratio ${ratio}`]), ...(settings === '' ? [] : [settings])];
    return [title, ...set, ...own].join(', ');
  });
  return {
    conditions: common.filter((text) => text !== size),
    titles: distinctTexts(titles, 90),
    size: hasSize ? size : null,
  };
}
