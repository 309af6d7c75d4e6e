import type { Fault } from '../../../errors.ts';
import { modes } from '../../deepspeed/modes/registry.ts';
import type { ModeName } from '../../experiment/case.ts';
import type { FigureNumber } from '../figure-data.ts';
import type { PaperFile } from './paper-file.schema.ts';

/** A published value: `OOM` is drawn as out of memory, null is not drawn. */
export type PaperValue = number | 'OOM' | null;

/** A group of bars as the paper has it. */
export interface PaperPanel {
  /** null where the chips stand along the axis. */
  readonly chips: number | null;
  /** The one model of the panel; null where sizes stand along the axis. */
  readonly model: string | null;
  /** Sequences an optimizer step; null where the paper does not say. */
  readonly globalBatch: number | null;
  /** As printed. */
  readonly x: readonly string[];
  readonly series: Readonly<Record<string, readonly PaperValue[]>>;
}

export interface PaperFigure {
  readonly title: string;
  readonly unit: string;
  /** How the numbers came from the page, for people. */
  readonly reading: string;
  readonly panels: readonly PaperPanel[];
}

/** One of the figures, all of them in one form. */
export function paperFigure(file: PaperFile, figure: FigureNumber): PaperFigure {
  const { title, unit, mark, readingError } = file[`figure${figure}`];
  const printed =
    mark === 'E'
      ? 'as printed'
      : `read off the figure${readingError === undefined ? '' : ` to ${readingError}`}`;
  return { title, unit, reading: printed, panels: panelsOf(file, figure) };
}

function panelsOf(file: PaperFile, figure: FigureNumber): PaperPanel[] {
  switch (figure) {
    case 10:
      return [throughputPanel(file.figure10)];
    case 11:
      return file.figure11.panels.map(throughputPanel);
    case 12:
      return file.figure12.panels.map(({ chips, model, sequenceLengths, series }) => {
        return { chips, model, globalBatch: null, x: sequenceLengths, series };
      });
    case 13: {
      const { chips, series } = file.figure13;
      return [{ chips: null, model: null, globalBatch: null, x: chips.map(String), series }];
    }
  }
}

function throughputPanel(panel: PaperFile['figure11']['panels'][number]): PaperPanel {
  const { chips, globalBatch, models, series } = panel;
  return { chips, model: null, globalBatch, x: models, series };
}

/** A system of a figure: a mode here, or one that the paper alone has. */
export interface PaperSeries {
  readonly key: string;
  readonly title: string;
  readonly mode: ModeName | null;
}

/** The series of a figure in the paper's order, each once. */
export function paperSeries(file: PaperFile, { panels }: PaperFigure): PaperSeries[] {
  const names = new Set(panels.flatMap(({ series }) => Object.keys(series)));
  return [...names].map((name) => {
    const mode = Object.hasOwn(file.modes, name) ? (file.modes[name] ?? null) : null;
    return mode === null ? { key: name, title: name, mode } : { key: mode, title: modes[mode].title, mode };
  });
}

/** What the schema cannot say: a value for each place along the axis. */
export function paperFaults(file: PaperFile, place: string): Fault[] {
  return ([10, 11, 12, 13] as const).flatMap((figure) =>
    panelsOf(file, figure).flatMap(({ x, series }, index) =>
      Object.entries(series)
        .filter(([, values]) => values.length !== x.length)
        .map(([name, values]) => ({
          place: `${place} /figure${figure} panel ${index + 1}, ${name}`,
          problem: `has ${values.length} values`,
          expected: `${x.length}, one for each of ${x.join(', ')}`,
        })),
    ),
  );
}
