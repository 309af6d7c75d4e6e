import { describe, expect, it } from 'vitest';
import { modeNames } from '../../../../../src/core/experiment/case.ts';
import {
  coloursOf,
  ink,
  mutedInk,
  seriesColours,
} from '../../../../../src/core/figures/render/drawing/palette.ts';
import { contrastOnWhite, distance, eyes, lab, lightness, seen } from './colour-vision.ts';
import { sampleFigure10, sampleFigure11, sampleFigure12, sampleFigure13 } from '../../sample-figure.ts';

const figures = [sampleFigure10(), sampleFigure11(), sampleFigure12(), sampleFigure13()];
/** What may stand beside one another: as the paper has it, without what only the paper has, with both ZeRO-Infinity. */
const orders = figures.flatMap(({ series }) => {
  const keys = series.map(({ key }) => key);
  const own = keys.filter((key) => (modeNames as readonly string[]).includes(key));
  const both = keys.flatMap((key) => (key === 'zero_infinity' ? [key, 'zero_infinity_param'] : [key]));
  return [keys, own, both];
});

describe('the colours of the series', () => {
  it('every mode and every system of the paper has one of its own, the same in every figure', () => {
    for (const mode of modeNames) expect(seriesColours[mode]).toMatch(/^#[0-9a-f]{6}$/);
    expect(new Set(Object.values(seriesColours)).size).toBe(Object.keys(seriesColours).length);
    for (const { series } of figures)
      for (const [key, colour] of coloursOf(series))
        expect(colour, key).toBe(seriesColours[key.toLowerCase()]);
  });

  it('unknown series get colours too, and names of objects are no colours', () => {
    const series = ['mine', '__proto__', 'constructor'].map((key) => ({ key, title: key }));
    const colours = [...coloursOf(series).values()];
    expect(new Set(colours).size).toBe(3);
    for (const colour of colours) expect(contrastOnWhite(colour)).toBeGreaterThanOrEqual(3);
  });

  it('stand out from white by 3 and more (WCAG 1.4.11), text by 4.5 (1.4.3)', () => {
    for (const [key, colour] of Object.entries(seriesColours)) expect(contrastOnWhite(colour), key).toBeGreaterThanOrEqual(3); // prettier-ignore
    for (const colour of [ink, mutedInk, '#a4262c'])
      expect(contrastOnWhite(colour)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.keys(eyes))('are told apart within each figure: %s', (eye) => {
    for (const order of orders)
      for (const [i, a] of order.entries())
        for (const b of order.slice(i + 1)) {
          const apart = distance(lab(seen(seriesColours[a.toLowerCase()]!, eye)), lab(seen(seriesColours[b.toLowerCase()]!, eye))); // prettier-ignore
          expect(apart, `${a} and ${b}`).toBeGreaterThanOrEqual(12);
        }
  });

  it('neighbours differ in a grey print', () => {
    for (const order of orders)
      for (const [i, a] of order.entries()) {
        const b = order[i + 1];
        if (b === undefined) continue;
        const apart = Math.abs(lightness(seriesColours[a.toLowerCase()]!) - lightness(seriesColours[b.toLowerCase()]!)); // prettier-ignore
        expect(apart, `${a} and ${b}`).toBeGreaterThanOrEqual(9);
      }
  });

  it('the measure itself: red and green of one lightness meet for eyes without green cones', () => {
    expect(distance(lab(seen('#c03030', 'normal')), lab(seen('#5a7a20', 'normal')))).toBeGreaterThan(60);
    expect(distance(lab(seen('#c03030', 'deuteranopia')), lab(seen('#5a7a20', 'deuteranopia')))).toBeLessThan(
      25,
    );
  });
});
