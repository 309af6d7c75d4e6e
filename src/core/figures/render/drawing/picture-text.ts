import { plainText } from '../../../text/plain.ts';
import { isDrawn } from './text-width.ts';

/** Longer texts are cut in the picture; the tables beside it have them whole. */
const longest = 400;

/** What joins or varies its neighbours, and is nothing by itself: emoji are made with these. */
const joiners = /[\u200b-\u200d\u2060\ufe00-\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0000}-\u{e01ef}]/gu;

/**
 * A text as the picture shows it: one line, nothing unseen in it, and only characters that the shipped font has, so
 * that it is as wide everywhere as the layout thinks. Others become a box.
 */
export function pictureText(text: string, maxChars = longest): string {
  const line = plainText(text.slice(0, 4 * maxChars))
    .normalize('NFC')
    .replace(joiners, '')
    .replace(/\s+/g, ' ')
    .trim();
  const drawn = Array.from(line, (character) => (isDrawn(character) ? character : '\u25a1'));
  const shown = drawn.slice(0, maxChars).join('').trimEnd();
  return drawn.length > maxChars || text.length > 4 * maxChars ? `${shown}\u2026` : shown;
}

/** As {@link pictureText}, each different from the others: two places of an axis never become one. */
export function distinctTexts(texts: readonly string[], maxChars: number): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const plain = pictureText(text, maxChars) || '\u2013';
    // Vega 6.4 looks names up in objects of its own: `constructor` as a name of a scale ends in an error.
    const shown = plain in Object.prototype ? `${plain}\u00a0` : plain;
    let distinct = shown;
    for (let count = 2; taken.has(distinct); count += 1) distinct = `${shown} (${count})`;
    taken.add(distinct);
    return distinct;
  });
}

/** Three significant digits, as a label beside a bar has room for. */
export function pictureNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-5 || magnitude >= 1e6)) return value.toExponential(1);
  // Of what is far below one, as many digits as tell ticks apart: 0.00015.
  if (magnitude < 1e-2) return String(Number(value.toPrecision(2)));
  return magnitude >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
