import { describe, expect, it } from 'vitest';
import { modeNames } from '../../../../src/core/experiment/case.ts';
import { coloursOf, ink, mutedInk, seriesColours } from '../../../../src/core/figures/render/palette.ts';
import { sampleFigure10, sampleFigure11, sampleFigure12, sampleFigure13 } from '../sample-figure.ts';

type Triple = readonly [number, number, number];

/** sRGB to linear light, IEC 61966-2-1. */
function linear(colour: string): Triple {
  const channel = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** Severity 1.0 of Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, in linear light. */
const eyes: Readonly<Record<string, readonly [Triple, Triple, Triple]>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}; // prettier-ignore

function seen(colour: string, eye: string): Triple {
  const [r, g, b] = linear(colour);
  const rows = eyes[eye]!;
  const mixed = rows.map(([x, y, z]) => Math.min(1, Math.max(0, x * r + y * g + z * b)));
  return [mixed[0]!, mixed[1]!, mixed[2]!];
}

const luminance = ([r, g, b]: Triple): number => 0.2126729 * r + 0.7151522 * g + 0.072175 * b;
const contrastOnWhite = (colour: string): number => 1.05 / (luminance(linear(colour)) + 0.05);

/** CIE 1976 L*a*b*, D65. */
function lab(rgb: Triple): Triple {
  const [r, g, b] = rgb;
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(luminance(rgb));
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const distance = (a: Triple, b: Triple): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const lightness = (colour: string): number => lab(linear(colour))[0];

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
