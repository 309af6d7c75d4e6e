import { figureTitle } from '../../figure-data.ts';
import type { DrawnLine, DrawnSymbol, DrawnText } from '../drawing/draw.ts';
import type { FigureView } from '../view/figure-view.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { pictureText } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { wrapText } from '../drawing/text-width.ts';

/** A part of the page: what is drawn, and how high it is. */
export interface Block {
  readonly texts: readonly DrawnText[];
  readonly symbols: readonly DrawnSymbol[];
  readonly lines: readonly DrawnLine[];
  readonly height: number;
}

/** Against white 7.1: a reader must not take it for small print. */
const warningColour = '#a4262c';

/** The title, the hardware, what is not as in the paper. */
export function headBlock({ data }: FigureView, width: number): Block {
  const texts: DrawnText[] = [];
  let y = 0;
  const write = (text: string, size: number, colour: string): void => {
    for (const line of wrapText(text, size, width)) {
      y += Math.round(size * 1.35);
      texts.push({ x: 0, y, text: line, size, colour, align: 'left' });
    }
  };
  write(pictureText(figureTitle(data), 140), sizes.title, ink);
  y += 2;
  write(pictureText(data.system.title, 160), sizes.heading, ink);
  if (data.functional)
    write(
      'Functional: measured on CPUs. It shows that it works, not how fast it is.',
      sizes.heading,
      warningColour,
    );
  if (data.differences.length > 0)
    write(`Not as in the paper: ${data.differences.map((each) => pictureText(each, 160)).join(' \u00b7 ')}`, sizes.text, ink); // prettier-ignore
  return { texts, symbols: [], lines: [], height: y + 12 };
}

/** What the letters in the plot stand for, and where the numbers come from. */
export function footBlock({ data, letters }: FigureView, width: number): Block {
  const notes = letters.notes
    .map(({ letter, text }) => `(${letter}) ${pictureText(text, 200)}`)
    .join(' \u00b7 ');
  const lines = [
    notes,
    ...data.footnotes.map((each) => pictureText(each)),
    `Drawn by superoffload ${pictureText(data.tool, 40)}.`,
  ]
    .filter((text) => text !== '')
    .flatMap((text) => wrapText(text, sizes.small, width));
  const texts = lines.map((text, i) => {
    return { x: 0, y: 14 * (i + 1), text, size: sizes.small, colour: mutedInk, align: 'left' as const };
  });
  return { texts, symbols: [], lines: [], height: 14 * lines.length + 6 };
}
