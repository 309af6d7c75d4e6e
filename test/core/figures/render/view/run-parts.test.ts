import { describe, expect, it } from 'vitest';
import type { Panel } from '../../../../../src/core/figures/figure-data.ts';
import { runParts, type RunPartSetting } from '../../../../../src/core/figures/render/view/run-parts.ts';
import { mark } from '../../sample-figure.ts';

const x = ['1B', '2B', '3B', '4B', '5B'];
const panel: Panel = { key: 'p', title: '', chips: 1, xTitle: '', x, inPaper: true };
const at = { panel: 'p', series: 'ddp' } as const;
const ran = (place: string) => mark({ ...at, x: place, source: 'measured', state: 'value', value: 1 });
const notRun = (place: string, series = 'ddp') => mark({ ...at, series, x: place, source: 'measured', state: 'not-run' }); // prettier-ignore
const told = (place: string) => mark({ ...at, x: place, source: 'published', state: 'value', value: 2 });
const parts = (marks: ReturnType<typeof mark>[], change: Partial<RunPartSetting> = {}) =>
  runParts(panel, marks, {
    ...{ hasRuns: true, mayCut: 'before and after', names: x, seriesTitle: (key) => key.toUpperCase() },
    ...change,
  });

describe('the parts of a panel', () => {
  it('are what was run, with all between, and what else has a value; of the rest there is a word', () => {
    const marks = [notRun('1B'), told('1B'), ran('2B'), notRun('3B'), told('3B'), ran('4B'), notRun('5B')];
    expect(parts(marks)).toEqual([
      { places: [1, 2, 3], isIdle: false, notRun: '3B, 5B' },
      { places: [0], isIdle: true, notRun: '' },
    ]);
    expect(parts(marks, { mayCut: 'after' })).toEqual([
      { places: [0, 1, 2, 3], isIdle: false, notRun: '1B, 3B, 5B' },
    ]);
    expect(parts(marks, { mayCut: 'nowhere' })).toEqual([
      { places: [0, 1, 2, 3, 4], isIdle: false, notRun: '1B, 3B, 5B' },
    ]);
  });

  it('say series that were not run where others were, those of the same places together', () => {
    const marks = [ran('1B'), ran('2B'), ...['1B', '2B'].flatMap((place) => [notRun(place, 'a'), notRun(place, 'b')]), notRun('2B', 'c')]; // prettier-ignore
    expect(parts(marks)).toEqual([{ places: [0, 1], isIdle: false, notRun: 'A, B at 1B, 2B; C at 2B' }]);
  });

  it('are one and idle where nobody ran anything of it, and one like any where nobody ran anything at all', () => {
    const marks = [told('1B'), notRun('1B'), notRun('2B')];
    expect(parts(marks)).toEqual([{ places: [0], isIdle: true, notRun: '' }]);
    expect(parts([notRun('1B')])).toEqual([{ places: [0, 1, 2, 3, 4], isIdle: true, notRun: '' }]);
    expect(parts([told('1B')], { hasRuns: false })).toEqual([
      { places: [0, 1, 2, 3, 4], isIdle: false, notRun: '' },
    ]);
  });
});
