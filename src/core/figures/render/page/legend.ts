import type { FigureData, MarkSource } from '../../figure-data.ts';
import type { DrawnLine, DrawnSymbol, DrawnText } from '../drawing/draw.ts';
import { valueOf, type FigureView } from '../view/figure-view.ts';
import { lineStyles } from '../plots/line-plot.ts';
import { wordsExplained } from '../text/mark-words.ts';
import type { Block } from './page-block.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { pictureText } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { fittedText, halfCapital, textWidth } from '../drawing/text-width.ts';

interface Entry {
  readonly text: string;
  readonly colour: string;
  readonly symbol: Omit<DrawnSymbol, 'x' | 'y'> | null;
  readonly line?: Pick<DrawnLine, 'colour' | 'width' | 'dash'>;
}

const rowHeight = 18;
const entryGap = 18;
const symbolRoom = 18;
const lineRoom = 34;
/** Of the symbols that stand for a source, whatever the series. */
const anySeries = '#777777';

/** Which colour is which series, which form is which source, and what the words mean. */
export function legendBlock(view: FigureView, width: number): Block {
  const rows = [seriesEntries(view), sourceEntries(view), wordEntries(view)].filter((row) => row.length > 0);
  const texts: DrawnText[] = [];
  const symbols: DrawnSymbol[] = [];
  const lines: DrawnLine[] = [];
  let y = 0;
  for (const entries of rows) {
    const placed = flow(entries, width);
    for (const { entry, x, row } of placed) {
      const base = y + (row + 1) * rowHeight - 4;
      const middle = base - halfCapital * sizes.label;
      const room = roomOf(entry);
      texts.push({
        x: x + room,
        y: base,
        text: entry.text,
        size: sizes.label,
        colour: entry.colour,
        align: 'left',
      });
      if (entry.line !== undefined) lines.push({ x, x2: x + room - 6, y: middle, y2: middle, ...entry.line });
      if (entry.symbol !== null) symbols.push({ x: x + (room - 6) / 2, y: middle, ...entry.symbol });
    }
    y += (1 + Math.max(...placed.map(({ row }) => row))) * rowHeight;
  }
  return { texts, symbols, lines, height: y + 8 };
}

function roomOf({ symbol, line }: Entry): number {
  return line === undefined ? (symbol === null ? 0 : symbolRoom) : lineRoom;
}

/** From left to right, in as many rows as it takes. */
function flow(entries: readonly Entry[], width: number): { entry: Entry; x: number; row: number }[] {
  let x = 0;
  let row = 0;
  return entries.map((entry) => {
    const text = fittedText(entry.text, sizes.label, width - roomOf(entry));
    const needed = roomOf(entry) + textWidth(text, sizes.label);
    if (x > 0 && x + needed > width) [x, row] = [0, row + 1];
    const placed = { entry: { ...entry, text }, x, row };
    x += needed + entryGap;
    return placed;
  });
}

function seriesEntries({ series }: FigureView): Entry[] {
  return series.map(({ title, colour }) => {
    return { text: title, colour: ink, symbol: { shape: 'square', area: 110, fill: colour, stroke: ink } };
  });
}

function sourceEntries({ data, sources }: FigureView): Entry[] {
  const words: Readonly<Record<MarkSource, string>> = {
    measured: `measured${intervalWords(data)}`,
    predicted: 'predicted',
    published: 'paper, as published',
  };
  return (['measured', 'predicted', 'published'] as const)
    .filter((source) => sources.has(source))
    .map((source) => {
      const { shape, dash, width } = lineStyles[source];
      const isLine = data.shape === 'lines';
      const drawn = isLine || source === 'published' ? shape : 'square';
      const fill = source === 'predicted' ? '#ffffff' : anySeries;
      return {
        text: words[source],
        colour: ink,
        symbol: { shape: drawn, area: drawn === 'square' ? 80 : 60, fill, stroke: ink },
        ...(isLine ? { line: { colour: anySeries, width, dash } } : {}),
      };
    });
}

/** What the interval of the measured marks is, where they have one. */
function intervalWords({ marks }: FigureData): string {
  const withInterval = marks.filter((mark) => mark.source === 'measured' && valueOf(mark) !== null && mark.low !== null && mark.high !== null); // prettier-ignore
  const bases = [...new Set(withInterval.flatMap(({ basis }) => (basis === null ? [] : [basis])))];
  if (withInterval.length === 0) return '';
  return bases.length === 1 ? ` (whiskers: ${pictureText(bases[0] ?? '', 80)})` : ' (whiskers: interval)';
}

function wordEntries({ data }: FigureView): Entry[] {
  return wordsExplained(data.marks).map((text) => ({ text, colour: mutedInk, symbol: null }));
}
