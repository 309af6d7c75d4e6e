import type { FigureData, Mark, MarkSource, Panel } from '../figure-data.ts';
import { noteLetters, type NoteLetters } from './note-letters.ts';
import { coloursOf, ink } from './palette.ts';
import { distinctTexts, pictureText } from './picture-text.ts';

/** A series as it is drawn. */
export interface SeriesView {
  readonly key: string;
  /** Different from every other of the figure. */
  readonly title: string;
  readonly colour: string;
}

/** A panel, or as much of its axis as a page is wide. */
export interface PanelView {
  readonly title: string;
  readonly inPaper: boolean;
  readonly xTitle: string;
  /** What stands at each place of the axis, each different. */
  readonly x: readonly string[];
  /** Of each place: nobody has run anything there. */
  readonly notRun: readonly boolean[];
  /** Those that have something to show here, in the figure's order. */
  readonly series: readonly SeriesView[];
  /** All of the figure: panels share their colours. */
  readonly allSeries: readonly SeriesView[];
  /** Of one place along the axis, one series and one source. */
  readonly mark: (x: number, series: SeriesView, source: MarkSource) => Mark | undefined;
}

export interface FigureView {
  readonly data: FigureData;
  /** Those that have something to show in any panel. */
  readonly series: readonly SeriesView[];
  readonly panels: readonly PanelView[];
  readonly letters: NoteLetters;
  /** Sources that have something to show. */
  readonly sources: ReadonlySet<MarkSource>;
}

/** A mark that only says that there is nothing to say: the paper's empty places, and predictions that nobody asked for. */
export function isShown({ source, state }: Mark): boolean {
  return state !== 'not-drawn' && !(source !== 'measured' && state === 'not-run');
}

/** What the mark is worth, or null: a number that is not finite or below zero is none. */
export function valueOf({ state, value }: Mark): number | null {
  return state === 'value' && value !== null && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Makes a figure's texts, colours and marks ready for the layout. */
export function figureView(data: FigureData): FigureView {
  const keys = new Set(data.panels.map(({ key }) => key));
  const shown = data.marks.filter((mark) => keys.has(mark.panel) && isShown(mark));
  const colours = coloursOf(data.series);
  const titles = distinctTexts(
    data.series.map(({ title }) => title),
    48,
  );
  const series = data.series.map(({ key }, index) => {
    return { key, title: titles[index] ?? key, colour: colours.get(key) ?? ink };
  });
  const hasPaper = data.panels.some(({ inPaper }) => inPaper);
  const panels = data.panels.map((panel) => panelView(panel, series, shown, hasPaper));
  const drawn = new Set(panels.flatMap((panel) => panel.series));
  return {
    data,
    series: series.filter((each) => drawn.has(each)),
    panels,
    letters: noteLetters(panels.flatMap(marksOf)),
    sources: new Set(shown.map(({ source }) => source)),
  };
}

/** All marks of a panel as a reader meets them: from place to place, and there from series to series. */
export function marksOf(panel: PanelView): Mark[] {
  const sources = ['measured', 'predicted', 'published'] as const;
  return panel.x.flatMap((_, x) =>
    panel.series.flatMap((series) => sources.flatMap((source) => panel.mark(x, series, source) ?? [])),
  );
}

function panelView(
  panel: Panel,
  series: readonly SeriesView[],
  marks: readonly Mark[],
  besidePaper: boolean,
): PanelView {
  const inPanel = marks.filter((mark) => mark.panel === panel.key);
  const idle = idlePlaces(inPanel);
  const own = inPanel.filter((mark) => mark.source !== 'measured' || !idle.has(mark.x));
  const byPlace = new Map(own.map((mark) => [placeKey(mark.x, mark.series, mark.source), mark]));
  const present = new Set(own.map((mark) => mark.series));
  const title = pictureText(panel.title, 120);
  return {
    title: panel.inPaper || !besidePaper ? title : `${title} (not in the paper)`.trim(),
    inPaper: panel.inPaper,
    xTitle: pictureText(panel.xTitle, 120),
    x: distinctTexts(panel.x, 32),
    notRun: panel.x.map((x) => idle.has(x)),
    series: series.filter(({ key }) => present.has(key)),
    allSeries: series,
    mark: (x, { key }, source) => byPlace.get(placeKey(panel.x[x] ?? '', key, source)),
  };
}

/** Places where nothing was run: said once below the place, not at each series. */
function idlePlaces(marks: readonly Mark[]): ReadonlySet<string> {
  const measured = marks.filter(({ source }) => source === 'measured');
  const active = new Set(measured.filter(({ state }) => state !== 'not-run').map(({ x }) => x));
  return new Set(measured.map(({ x }) => x).filter((x) => !active.has(x)));
}

function placeKey(x: string, series: string, source: MarkSource): string {
  return JSON.stringify([x, series, source]);
}

/** A part of a panel's axis, where the whole is wider than a page. */
export function sliceOf(panel: PanelView, from: number, to: number): PanelView {
  return {
    ...panel,
    title: `${panel.title} \u2013 ${panel.x[from] ?? ''} to ${panel.x[to - 1] ?? ''}`,
    x: panel.x.slice(from, to),
    notRun: panel.notRun.slice(from, to),
    mark: (x, series, source) => panel.mark(from + x, series, source),
  };
}
