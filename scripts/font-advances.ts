/**
 * Writes how wide each letter of the figures' font is: `tsx scripts/font-advances.ts`. The layout of a picture is then
 * the same on every machine, without a canvas and without asking what fonts there are.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
export const fontFile = join(root, 'experiment/figures/font/Inter-Regular.ttf');
export const advancesFile = join(root, 'src/core/figures/render/drawing/font-advances.ts');

export interface FontMetrics {
  readonly unitsPerEm: number;
  /** Of each code point that the font has, in its units. */
  readonly advances: ReadonlyMap<number, number>;
}

/** Reads a TrueType file: tables head, hhea, hmtx, and cmap in format 4 (the characters up to U+FFFF). */
export function readMetrics(font: Buffer): FontMetrics {
  const table = (tag: string): number => {
    for (let i = 0; i < font.readUInt16BE(4); i += 1) {
      const at = 12 + 16 * i;
      if (font.toString('latin1', at, at + 4) === tag) return font.readUInt32BE(at + 8);
    }
    throw new Error(`the font has no table ${tag}`);
  };
  const longMetrics = font.readUInt16BE(table('hhea') + 34);
  const widths = table('hmtx');
  const advances = new Map<number, number>();
  for (const [code, glyph] of glyphs(font, table('cmap')))
    advances.set(code, font.readUInt16BE(widths + 4 * Math.min(glyph, longMetrics - 1)));
  return { unitsPerEm: font.readUInt16BE(table('head') + 18), advances };
}

/** https://learn.microsoft.com/en-us/typography/opentype/spec/cmap#format-4-segment-mapping-to-delta-values */
function* glyphs(font: Buffer, cmap: number): Generator<[code: number, glyph: number]> {
  const subtables = Array.from({ length: font.readUInt16BE(cmap + 2) }, (_, i) => cmap + font.readUInt32BE(cmap + 8 + 8 * i)); // prettier-ignore
  const at = subtables.find((each) => font.readUInt16BE(each) === 4);
  if (at === undefined) throw new Error('the font has no cmap of format 4');
  const segments = font.readUInt16BE(at + 6) / 2;
  for (let i = 0; i < segments; i += 1) {
    const end = font.readUInt16BE(at + 14 + 2 * i);
    const start = font.readUInt16BE(at + 16 + 2 * (segments + i));
    const delta = font.readUInt16BE(at + 16 + 2 * (2 * segments + i));
    const rangeAt = at + 16 + 2 * (3 * segments + i);
    const range = font.readUInt16BE(rangeAt);
    for (let code = start; code <= end && code !== 0xffff; code += 1) {
      const glyph = range === 0 ? code : font.readUInt16BE(rangeAt + range + 2 * (code - start));
      if (glyph !== 0) yield [code, (glyph + delta) & 0xffff];
    }
  }
}

/** The module's text: letters of one width in one line. */
export function advancesModule({ unitsPerEm, advances }: FontMetrics): string {
  const byWidth = new Map<number, string>();
  for (const [code, width] of [...advances].sort(([a], [b]) => a - b))
    byWidth.set(width, (byWidth.get(width) ?? '') + escaped(code));
  const lines = [...byWidth]
    .sort(([a], [b]) => a - b)
    .map(([width, letters]) => `  [${width}, '${letters}'],`);
  return `/** Written by scripts/font-advances.ts from experiment/figures/font/Inter-Regular.ttf. */

export const unitsPerEm = ${unitsPerEm};

/** A width in units of the em, and the letters that have it. */
// prettier-ignore
export const advances: readonly (readonly [width: number, letters: string])[] = [
${lines.join('\n')}
];
`;
}

/** ASCII as it is, everything else by number: a file that any editor shows alike. */
function escaped(code: number): string {
  if (code === 0x27 || code === 0x5c) return `\\${String.fromCharCode(code)}`;
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : `\\u${code.toString(16).padStart(4, '0')}`;
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(advancesFile, advancesModule(readMetrics(readFileSync(fontFile))));
