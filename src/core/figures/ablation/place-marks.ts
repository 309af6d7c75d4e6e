import type { Case, System } from '../../experiment/case.ts';
import { isPredictable } from './predictable.ts';
import { sessionRatio } from '../../results/session-ratio.ts';
import type { PredictOptions } from '../../model/predict.ts';
import type { RunRecord } from '../../results/record.ts';
import { comparableSet } from '../marks/comparable-set.ts';
import type { Mark, MarkRatio } from '../figure-data.ts';
import { markOf } from '../marks/marks.ts';
import { measuredMark } from '../marks/measured-marks.ts';
import type { PaperFile } from '../paper/paper-file.schema.ts';
import { predictedSpeed } from '../marks/predicted-marks.ts';
import type { Trial } from '../trial.ts';
import type { AblationPlace } from './places.ts';

type At = Pick<Mark, 'panel' | 'series' | 'x'>;

/** The marks of one row, and the launches that the measured one is of. */
export interface PlaceMarks {
  readonly measured: Mark;
  readonly launches: readonly RunRecord[];
  readonly leftOut: ReadonlyMap<string, number>;
}

/** Memory that differs by more buys speed: bench/README.md marks such a ratio. */
const memoryShare = 0.1;

/**
 * What was measured of a row.
 * @param trials of its setting, oldest first
 * @param baseline launches of the first row of its panel
 */
export function measuredOf(
  place: AblationPlace,
  trials: readonly Trial[],
  baseline: readonly RunRecord[],
): PlaceMarks {
  const at = atOf(place);
  const { kept, leftOut } = comparableSet(trials, place.subject);
  const launches = kept.map(({ record }) => record);
  if (kept.length === 0) {
    return { measured: markOf({ ...at, source: 'measured', state: 'not-run' }), launches, leftOut };
  }
  const mark = measuredMark(at, kept, place.subject, ({ modelTflopsPerGpu }) => modelTflopsPerGpu);
  if (mark.state !== 'value') return { measured: mark, launches, leftOut };
  if (place.subject === place.baseline) return { measured: mark, launches, leftOut };
  const pair = sessionRatio(baseline, launches);
  const measured: Mark =
    pair === null
      ? {
          ...mark,
          notes: [...mark.notes, ...(baseline.length === 0 ? [] : ['not launched together with the first'])],
        }
      : {
          ...mark,
          ratio: roundedRatio(pair.ratio),
          notes: [...mark.notes, ...memoryNote(pair.baseline, pair.candidate)],
        };
  return { measured, launches, leftOut };
}

function roundedRatio({ ratio: value, low, high }: { ratio: number; low: number; high: number }): MarkRatio {
  return { value, low, high };
}

function memoryNote(baseline: readonly RunRecord[], candidate: readonly RunRecord[]): string[] {
  const [before, after] = [gpuGiBOf(baseline), gpuGiBOf(candidate)];
  if (before === null || after === null) return [];
  const more = after / before - 1;
  if (Math.abs(more) <= memoryShare) return [];
  return [
    `not fair: ${Math.abs(100 * more).toFixed(0)}% ${more > 0 ? 'more' : 'less'} GPU memory than the first`,
  ];
}

/** Of the newest launch, GiB. */
export function gpuGiBOf(launches: readonly RunRecord[]): number | null {
  return launches.at(-1)?.memory.gpuAllocatedGiB ?? null;
}

/** What is predicted of a row; null where the model does not know one of its settings, or a rate that it takes. */
export function predictedOf(place: AblationPlace, system: System, options: PredictOptions): Mark | null {
  if (!isPredictable(place.subject)) return null;
  return predictedSpeed(atOf(place), place.subject, { system, options }, { hasRule: false, unit: 'tflops' });
}

/** Series of what was published: the paper's SuperOffload. */
export const paperSeries = 'prism';

/** The paper's row that a row stands for. */
export function publishedOf({ panel, row }: AblationPlace, { table2 }: PaperFile): Mark | null {
  const value = table2.rows.find(({ adds }) => adds === row.published)?.value;
  const first = table2.rows[0]?.value;
  if (value === undefined || first === undefined || row.published === undefined) return null;
  return markOf(
    { panel, series: paperSeries, x: row.title, source: 'published', state: 'value' },
    {
      value,
      ...(value === first ? {} : { ratio: { value: value / first, low: null, high: null } }),
      notes: [`the paper's row: ${row.published}`],
    },
  );
}

function atOf({ panel, row, subject }: { panel: string; row: AblationPlace['row']; subject: Case }): At {
  return { panel, series: subject.mode, x: row.title };
}
