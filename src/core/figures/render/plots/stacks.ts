import type { Mark, MarkSource } from '../../figure-data.ts';
import { valueOf, type FigureView, type PanelView, type SeriesView } from '../view/figure-view.ts';
import { isAtLeast, ratioText, sourceTitles, stateText, wallWords } from '../text/mark-words.ts';
import { pictureNumber } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { fittedText, textWidth } from '../drawing/text-width.ts';

/** What is written above a bar, or where there is none: words and numbers with the symbols of whom they speak. */
export interface StackItem {
  /** Symbols before the text; without any the text belongs to the bar below it. */
  readonly sources: readonly MarkSource[];
  readonly text: string;
  readonly isMuted: boolean;
}

/** Items of one column, written upwards one after the other. */
export interface Stack {
  readonly x: number;
  readonly series: SeriesView;
  readonly seriesIndex: number;
  readonly column: 'bar' | 'paper';
  /** The value from whose end the writing goes up; 0 where there is no bar. */
  readonly base: number;
  /** Pixels between that end and the first letter. */
  readonly gap: number;
  readonly items: readonly StackItem[];
}

/** Pixels along the writing: a symbol with its space, and the space between two items. */
export const glyphRoom = 11;
const itemGap = 6;
const longestItem = 150;

/** @param columns sources that share a column: in a bar chart the paper has one of its own */
export function stacksOf(
  view: FigureView,
  panel: PanelView,
  columns: readonly { readonly column: Stack['column']; readonly sources: readonly MarkSource[] }[],
  needsNumber: (value: number, source: MarkSource) => boolean,
): Stack[] {
  const stacks: Stack[] = [];
  for (const [x] of panel.x.entries())
    for (const [seriesIndex, series] of panel.series.entries())
      for (const { column, sources } of columns) {
        const marks = sources.flatMap((source) => panel.mark(x, series, source) ?? []);
        const items = itemsOf(view, marks, needsNumber);
        if (items.length > 0) stacks.push({ x, series, seriesIndex, column, ...baseOf(marks), items });
      }
  return stacks;
}

function baseOf(marks: readonly Mark[]): Pick<Stack, 'base' | 'gap'> {
  const ends = marks.flatMap((mark) => (valueOf(mark) === null ? [] : [topOf(mark)]));
  if (ends.length === 0) return { base: 0, gap: 3 };
  const isDiamond = marks.some(({ source, state }) => source === 'published' && state === 'value');
  return { base: Math.max(...ends), gap: isDiamond ? 8 : 4 };
}

/** The highest that a mark reaches: its interval's end, or itself. */
export function topOf(mark: Mark): number {
  const value = valueOf(mark) ?? 0;
  return mark.high !== null && Number.isFinite(mark.high) ? Math.max(mark.high, value) : value;
}

function itemsOf(
  view: FigureView,
  marks: readonly Mark[],
  needsNumber: (value: number, source: MarkSource) => boolean,
): StackItem[] {
  const [valued, others] = [
    marks.filter((mark) => valueOf(mark) !== null),
    marks.filter((mark) => valueOf(mark) === null),
  ];
  const items: StackItem[] = [];
  // What is said of a bar stands next to it.
  for (const mark of [...valued, ...others]) {
    const value = valueOf(mark);
    const words =
      value === null
        ? stateText(mark) || 'no number'
        : needsNumber(value, mark.source)
          ? numberText(mark, value)
          : '';
    const letters = fittedText(view.letters.of(mark), sizes.small, 60);
    const text = fittedText(
      [words, letters].filter((each) => each !== '').join(' '),
      sizes.small,
      longestItem,
    );
    if (text === '') continue;
    const same = items.findIndex((item) => item.text === text && item.sources.length > 0);
    const isMuted = mark.state === 'not-run' || mark.state === 'unsupported';
    // Right above the only bar, or a note's letter above the measured one: no symbol need say whose it is.
    const isPlain =
      view.data.shape === 'bars' &&
      value !== null &&
      (valued.length === 1 || (words === '' && mark.source === 'measured'));
    if (same >= 0) items[same] = { text, isMuted, sources: [...(items[same]?.sources ?? []), mark.source] };
    else items.push({ text, isMuted, sources: isPlain ? [] : [mark.source] });
  }
  if (view.data.shape === 'lines') return items;
  return items.map((item, i) => (i === 0 && valued.length === 0 ? item : inWords(item, i === 0)));
}

/** A symbol high above the axis would be read as a value: there the source is said. */
function inWords({ sources, text, isMuted }: StackItem, isFirst: boolean): StackItem {
  // The number right above a measured bar is its own.
  const said = isFirst && sources[0] === 'measured' ? sources.slice(1) : sources;
  const who = isMuted ? '' : said.map((source) => sourceTitles[source]).join(', ');
  return { sources: [], text: who === '' ? text : `${who} ${text}`, isMuted };
}

/** `\u2265 6.1 (host)`: at least 6.1, and the memory that ends it. */
function numberText(mark: Mark, value: number): string {
  const ends = mark.wall === null ? '' : ` (${wallWords[mark.wall]})`;
  const ratio = mark.ratio === undefined ? '' : `: ${ratioText(mark.ratio)}`;
  return `${isAtLeast(mark) ? '\u2265 ' : ''}${pictureNumber(value)}${ends}${ratio}`;
}

/** @returns pixels along the writing */
export function stackLength({ items }: Stack): number {
  return items.reduce((sum, item) => sum + itemLength(item), (items.length - 1) * itemGap);
}

export function itemLength({ sources, text }: StackItem): number {
  return sources.length * glyphRoom + textWidth(text, sizes.small);
}

/** Where each item begins, in pixels from the first. */
export function itemStarts({ items }: Stack): number[] {
  let at = 0;
  return items.map((item) => {
    const start = at;
    at += itemLength(item) + itemGap;
    return start;
  });
}
