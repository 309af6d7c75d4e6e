import { describe, expect, it } from 'vitest';
import { validateData } from '../../../../src/adapters/validate.ts';
import { figureNumbers } from '../../../../src/core/figures/figure-data.ts';
import { paperFaults, paperFigure, paperSeries } from '../../../../src/core/figures/paper/paper.ts';
import { printedTokens } from '../../../../src/core/figures/paper/panels.ts';
import { built, paper, profile, sourceOf } from '../scene-inputs.ts';

describe('the published values', () => {
  it('pass their schema, and have a value for each place along an axis', () => {
    expect(validateData('paper', paper, 'figures.json')).toEqual([]);
    expect(paperFaults(paper, 'figures.json')).toEqual([]);
  });

  it('are refused where a value is missing, or is none', () => {
    const series = { ...paper.figure10.series, prism: [1, 2] };
    expect(paperFaults({ ...paper, figure10: { ...paper.figure10, series } }, 'figures.json')).toEqual([
      {
        place: 'figures.json /figure10 panel 1, prism',
        problem: 'has 2 values',
        expected: '7, one for each of 2B, 3B, 5B, 10B, 15B, 20B, 25B',
      },
    ]);
    const wrong = { ...paper, figure13: { ...paper.figure13, series: { prism: [25, -1, 'oom'] } } };
    const places = validateData('paper', wrong, 'f').map(({ place }) => place);
    expect(new Set(places)).toEqual(new Set(['f /figure13/series/prism/1', 'f /figure13/series/prism/2']));
  });

  it('are drawn as they are, each once: numbers, OOM, and nothing where the paper has nothing', () => {
    for (const figure of figureNumbers) {
      const printed = paperFigure(paper, figure);
      const data = built(figure, profile('gh200'), { showPredicted: false });
      const marks = sourceOf(data, 'published');
      const values = printed.panels.flatMap(({ series }) => Object.values(series).flat());
      expect(marks.map(({ value, state }) => (state === 'oom' ? 'OOM' : value))).toEqual(values);
      expect(data.marks).toHaveLength(marks.length);
      const keys = marks.map(({ panel, series, x }) => `${panel} ${series} ${x}`);
      expect(new Set(keys).size).toBe(keys.length);
      expect(data.panels.every(({ inPaper }) => inPaper)).toBe(true);
    }
  });

  it("keeps the paper's systems that are no mode here as they are called there", () => {
    const names = figureNumbers.flatMap((figure) => paperSeries(paper, paperFigure(paper, figure)));
    const only = names.filter(({ mode }) => mode === null).map(({ key }) => key);
    expect(new Set(only)).toEqual(new Set(['FSDP-CPU-Offload', 'Megatron']));
    expect(new Set(names.map(({ key }) => key))).toContain('prism_ulysses');
  });

  it('takes 500K for the 512K that is run, and says so at the mark', () => {
    expect(['16K', '500K', '768K', '1M'].map(printedTokens)).toEqual([16384, 524288, 786432, 1048576]);
    const marks = sourceOf(built(12, profile('gh200-nvl2')), 'published');
    const noted = marks.filter(({ notes }) => notes.length > 0);
    expect(noted.map(({ x, value, notes }) => [x, value, notes])).toEqual([
      ['512K', 51.6, ['the paper prints 500K']],
      ['512K', 47, ['the paper prints 500K']],
    ]);
  });
});
