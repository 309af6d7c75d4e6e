import type { Wall } from '../../search/frontier.ts';
import { wallTitles } from '../../search/verdict.ts';
import type { Mark, MarkState } from '../figure-data.ts';

type Bare = Pick<Mark, 'panel' | 'series' | 'x' | 'source' | 'state'>;

/** A mark, with nothing said that is not given. */
export function markOf(bare: Bare, rest: Partial<Omit<Mark, keyof Bare>> = {}): Mark {
  return sound({
    ...bare,
    value: null,
    low: null,
    high: null,
    basis: null,
    wall: null,
    runIds: [],
    notes: [],
    ...rest,
  });
}

/** Whatever was computed, a number that is none is never drawn, and no interval without its value. */
function sound(mark: Mark): Mark {
  const { value, low, high } = mark;
  if (mark.state !== 'value') return { ...mark, value: null, low: null, high: null, basis: null };
  if (value === null || !Number.isFinite(value)) {
    const state: MarkState = 'failed';
    return {
      ...mark,
      state,
      value: null,
      low: null,
      high: null,
      basis: null,
      notes: [...mark.notes, 'no number'],
    };
  }
  const hasInterval =
    low !== null &&
    high !== null &&
    Number.isFinite(low) &&
    Number.isFinite(high) &&
    low <= value &&
    value <= high;
  return hasInterval ? mark : { ...mark, low: null, high: null, basis: null };
}

/** The whole batch lacks one memory, and what spares that lacks another: both end the cell. */
export function smallerBatchText(wall: Wall): string {
  return `a smaller batch is out of ${wallTitles[wall]}`;
}
