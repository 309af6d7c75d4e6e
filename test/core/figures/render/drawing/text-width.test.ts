import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { advancesFile, advancesModule, fontFile, readMetrics } from '../../../../../scripts/font-advances.ts';
import {
  distinctTexts,
  pictureNumber,
  pictureText,
} from '../../../../../src/core/figures/render/drawing/picture-text.ts';
import {
  fittedText,
  textWidth,
  wrapText,
} from '../../../../../src/core/figures/render/drawing/text-width.ts';

describe('the width of a text', () => {
  const metrics = readMetrics(readFileSync(fontFile));

  it('is that of the shipped font', async () => {
    expect(metrics.advances.size).toBeGreaterThan(450);
    expect(advancesModule(metrics)).toBe(readFileSync(advancesFile, 'utf8'));
    const module = (await import('../../../../../src/core/figures/render/drawing/font-advances.ts')) as {
      readonly advances: readonly (readonly [number, string])[];
    };
    const written = new Map(module.advances.flatMap(([width, letters]) => Array.from(letters, (letter) => [letter.codePointAt(0) ?? 0, width] as const))); // prettier-ignore
    expect(written).toEqual(new Map(metrics.advances));
  });

  it('adds up, by the letter and by the size', () => {
    const a = metrics.advances.get(0x41)! / metrics.unitsPerEm;
    expect(textWidth('A', 10)).toBeCloseTo(10 * a, 9);
    expect(textWidth('AAA', 20)).toBeCloseTo(60 * a, 9);
    expect(textWidth('', 20)).toBe(0);
  });

  it('is kept by every line of a wrapped text, and no word is lost', () => {
    const text = `bf16; paper fp16 and ${'x'.repeat(200)} then more words \u2013 of every \u2265 kind`;
    for (const width of [40, 90, 333]) {
      const lines = wrapText(text, 11, width);
      for (const line of lines) expect(textWidth(line, 11)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }
    expect(wrapText('', 11, 50)).toEqual([]);
  });

  it('is kept by a cut text, which says that it was cut', () => {
    expect(fittedText('ZeRO-Offload', 11, 500)).toBe('ZeRO-Offload');
    const cut = fittedText('ZeRO-Offload', 11, 40);
    expect(cut).toMatch(/^ZeRO.*\u2026$/);
    expect(textWidth(cut, 11)).toBeLessThanOrEqual(40);
  });
});

describe('a text of a picture', () => {
  it('has only what the font can draw, in one line', () => {
    expect(pictureText('a\u001b[31mb\u001b[0m\n c\td\u0000')).toBe('ab c d\u25a1');
    expect(pictureText('\u{1F469}\u200d\u{1F4BB} \u05e9\u05dc \u202ex')).toBe(
      '\u25a1\u25a1 \u25a1\u25a1 \u25a1x',
    );
    expect(pictureText('e\u0301 \u00b5 \u03a3 \u2192 \u2265 \u2013')).toBe(
      '\u00e9 \u00b5 \u03a3 \u2192 \u2265 \u2013',
    );
    expect(pictureText('x'.repeat(5000), 20)).toBe(`${'x'.repeat(20)}\u2026`);
  });

  it('stays different where another is alike, and is never nothing', () => {
    const texts = distinctTexts(['a', 'a ', '', '\u200b', 'constructor', 'abcdefgh', 'abcdxyz'], 4);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.every((text) => text !== '' && !(text in Object.prototype))).toBe(true);
  });

  it('writes numbers short', () => {
    expect([0, 0.00015, 0.0214, 3.5, 12.34, 143.26, 1234.5, 2.5e-6, 3e7].map(pictureNumber)).toEqual(['0', '0.00015', '0.0214', '3.5', '12.3', '143', '1235', '2.5e-6', '3.0e+7']); // prettier-ignore
  });
});
