import { advances, unitsPerEm } from './font-advances.ts';

/**
 * The layout of a picture knows how wide its texts are without a canvas: by the font that travels with it. The same
 * data give the same picture on every machine.
 */

/** What the pictures ask for; after Inter, fonts of about its width. */
export const fontFamily = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif";

/** Half the height of a capital of Inter, in shares of the size (table OS/2): what moves a line's middle onto its base line. */
export const halfCapital = 0.364;

const widths = new Map(
  advances.flatMap(([width, letters]) =>
    Array.from(letters, (letter) => [letter, width / unitsPerEm] as const),
  ),
);

/** The font has this character. */
export function isDrawn(character: string): boolean {
  return widths.has(character);
}

/** @returns pixels, for a size in pixels; a character that the font lacks counts as one em */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) ems += widths.get(character) ?? 1;
  return ems * size;
}

/** Lines no wider than `width` pixels: broken at spaces, and inside a word that is wider than a line. */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => brokenWord(each, size, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || textWidth(longer, size) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function brokenWord(word: string, size: number, width: number): string[] {
  if (textWidth(word, size) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (part !== '' && textWidth(part + character, size) > width) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

/** The longest beginning that is no wider than `width` pixels, with an ellipsis where something was cut. */
export function fittedText(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const room = width - textWidth('\u2026', size);
  let kept = '';
  for (const character of text) {
    if (textWidth(kept + character, size) > room) break;
    kept += character;
  }
  return `${kept.trimEnd()}\u2026`;
}
