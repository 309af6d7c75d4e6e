import type { FigureData, Mark, MarkSource, Panel } from '../../figure-data.ts';
import { noteLetters, type NoteLetters } from './note-letters.ts';
import { coloursOf, ink } from '../drawing/palette.ts';
import { distinctTexts, pictureText } from '../drawing/picture-text.ts';
import { isRun, runParts, type RunPart } from './run-parts.ts';

/** A series as it is drawn. */
export interface SeriesView {
  readonly key: string;
  /** Different from every other of the figure. */
  readonly title: string;
  readonly colour: string;
}

/** A panel, or a part of its axis: what was run of it, or as much as a page is wide. */
export interface PanelView {
  readonly title: string;
  readonly inPaper: boolean;
  readonly xTitle: string;
  /** What stands at each place of the axis, each different. */
  readonly x: readonly string[];
  /** Nobody ran anything of it, where somebody ran something of the figure: it is drawn small. */
  readonly isIdle: boolean;
  /** What of it nobody ran, for a line of text below it. */
  readonly notRun: string;
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
  const panels = panelViews(data, series, shown);
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

/** Every panel in its parts; what was run first. */
function panelViews(data: FigureData, series: readonly SeriesView[], shown: readonly Mark[]): PanelView[] {
  const hasPaper = data.panels.some(({ inPaper }) => inPaper);
  const hasRuns = shown.some((mark) => isRun(mark));
  const titles = new Map(series.map(({ key, title }) => [key, title]));
  const views = data.panels.flatMap((panel) => {
    const own = shown.filter((mark) => mark.panel === panel.key);
    const names = distinctTexts(panel.x, 32);
    const mayCut = mayCutOf(data);
    const seriesTitle = (key: string): string => titles.get(key) ?? key;
    const parts = runParts(panel, own, { hasRuns, mayCut, names, seriesTitle });
    const from = { names, series, marks: own, besidePaper: hasPaper };
    return parts.map((part) => panelView(partPanel(data, panel, part), part, from));
  });
  return [...views.filter(({ isIdle }) => !isIdle), ...views.filter(({ isIdle }) => isIdle)];
}

function mayCutOf({ shape, figure }: FigureData) {
  if (shape === 'lines') return 'nowhere';
  return figure === 'ablation' ? 'after' : 'before and after';
}

/** The title of figure 13 names the chips along the axis. */
function partPanel({ figure }: FigureData, panel: Panel, { places }: RunPart): Panel {
  if (figure !== 13 || places.length === panel.x.length) return panel;
  const names = places.map((place) => panel.x[place] ?? '');
  const noun = names.join() === '1' ? panel.xTitle.replace(/s$/, '') : panel.xTitle;
  return { ...panel, title: `${names.join(' and ')} ${noun}` };
}

function panelView(
  panel: Panel,
  { places, isIdle, notRun }: RunPart,
  from: {
    readonly names: readonly string[];
    readonly series: readonly SeriesView[];
    readonly marks: readonly Mark[];
    readonly besidePaper: boolean;
  },
): PanelView {
  const { names, series, marks, besidePaper } = from;
  const x = places.map((place) => panel.x[place] ?? '');
  const here = new Set(x);
  // What nobody ran is a line below the panel.
  const own = marks.filter((mark) => here.has(mark.x) && (mark.source !== 'measured' || isRun(mark)));
  const byPlace = new Map(own.map((mark) => [placeKey(mark.x, mark.series, mark.source), mark]));
  const present = new Set(own.map((mark) => mark.series));
  const title = pictureText(panel.title, 120);
  const titled = panel.inPaper || !besidePaper ? title : `${title} (not in the paper)`.trim();
  return {
    title: isIdle ? `${titled}: not run` : titled,
    inPaper: panel.inPaper,
    xTitle: pictureText(panel.xTitle, 120),
    x: places.map((place) => names[place] ?? ''),
    ...{ isIdle, notRun },
    series: series.filter(({ key }) => present.has(key)),
    allSeries: series,
    mark: (place, { key }, source) => byPlace.get(placeKey(x[place] ?? '', key, source)),
  };
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
    notRun: from === 0 ? panel.notRun : '',
    mark: (x, series, source) => panel.mark(from + x, series, source),
  };
}
