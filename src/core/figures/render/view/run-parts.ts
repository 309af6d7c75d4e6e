import { groupBy } from '../../../collections/group-by.ts';
import type { Mark, Panel } from '../../figure-data.ts';

/** Places along a panel's axis that are drawn together. */
export interface RunPart {
  /** Positions in the panel's `x`. */
  readonly places: readonly number[];
  /** Nobody ran anything of it, where somebody ran something of the figure: it is drawn small, after what was run. */
  readonly isIdle: boolean;
  /** What of it nobody ran, a line of text; empty where all of it was run, or none. */
  readonly notRun: string;
}

/** What parts are made with. */
export interface RunPartSetting {
  /** Whether anything of the figure was run. */
  readonly hasRuns: boolean;
  /** Where a panel may be cut: a line goes from place to place, and bars may be held against the first of them. */
  readonly mayCut: 'nowhere' | 'after' | 'before and after';
  /** As the picture has them, of each place. */
  readonly names: readonly string[];
  readonly seriesTitle: (key: string) => string;
}

/**
 * Parts a panel into what was run, from the first such place to the last, and what stands before and after it: sizes
 * that nobody ran, of which there is a prediction or a published value, take little room, and places of which there is
 * nothing take a word.
 * @param marks of the panel, those that say something or are not run
 */
export function runParts({ x }: Panel, marks: readonly Mark[], setting: RunPartSetting): RunPart[] {
  const ran = x.map((place) => marks.some((mark) => mark.x === place && isRun(mark)));
  const isTold = x.map((place) => marks.some((mark) => mark.x === place && !isNotRun(mark)));
  const [all, first, last] = [
    x.map((_, place) => place),
    setting.mayCut === 'after' ? 0 : ran.indexOf(true),
    ran.lastIndexOf(true),
  ];
  if (setting.hasRuns && last === -1) {
    const told = all.filter((place) => isTold[place]);
    return [{ places: told.length > 0 ? told : all, isIdle: true, notRun: '' }];
  }
  const within = (place: number): boolean => first <= place && place <= last;
  if (!setting.hasRuns || setting.mayCut === 'nowhere')
    return [{ places: all, isIdle: false, notRun: notRunText(x, marks, all, setting) }];
  const rest = all.filter((place) => !within(place) && isTold[place]);
  const idle = all.filter((place) => !rest.includes(place));
  const shown: RunPart = {
    places: all.filter((place) => within(place) && isTold[place]),
    isIdle: false,
    notRun: notRunText(x, marks, idle, setting),
  };
  return rest.length === 0 ? [shown] : [shown, { places: rest, isIdle: true, notRun: '' }];
}

function isNotRun({ source, state }: Mark): boolean {
  return source === 'measured' && state === 'not-run';
}

/** A run, whatever came of it, or what cannot be run here. */
export function isRun(mark: Mark): boolean {
  return mark.source === 'measured' && !isNotRun(mark);
}

/** `10B, 15B; ZeRO-2, ZeRO-3 at 1B`: places where nobody ran anything, and series that were not run where others were. */
function notRunText(
  x: readonly string[],
  marks: readonly Mark[],
  places: readonly number[],
  { names, seriesTitle }: RunPartSetting,
): string {
  const left = marks.filter(isNotRun);
  const nameOf = (place: number): string => names[place] ?? x[place] ?? '';
  const idle = new Set(
    places.filter((place) => {
      const here = marks.filter((mark) => mark.x === x[place]);
      return here.some(isNotRun) && !here.some(isRun);
    }),
  );
  const byPlaces = groupBy(new Set(left.map(({ series }) => series)), (series) => {
    const own = new Set(left.filter((mark) => mark.series === series).map((mark) => mark.x));
    const at = places.filter((place) => own.has(x[place] ?? '') && !idle.has(place));
    return at.map(nameOf).join(', ');
  });
  const partly = [...byPlaces].flatMap(([at, series]) =>
    at === '' ? [] : [`${series.map(seriesTitle).join(', ')} at ${at}`],
  );
  const words = [...(idle.size === 0 ? [] : [[...idle].map(nameOf).join(', ')]), ...partly];
  return words.join('; ');
}
