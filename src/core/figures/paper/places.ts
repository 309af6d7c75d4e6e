import type { Case, ModelShape, ModeName } from '../../experiment/case.ts';
import type { ModelTable } from '../../experiment/model-names.ts';
import { shapeName } from '../../experiment/model-names.ts';
import { shownLine } from '../../text/plain.ts';
import { lengthText } from '../../search/between.ts';
import type { FigureNumber } from '../figure-data.ts';

/** A place in a picture: a panel, a place along its axis, and whose it is there. */
export interface Place {
  readonly panel: string;
  readonly x: string;
  readonly mode: ModeName;
}

/** Where a case stands. */
export function placeOf(figure: FigureNumber, subject: Case, sizes: Sizes): Place {
  const { chips, mode, model, sequenceLength } = subject;
  switch (figure) {
    case 10:
    case 11:
      return { panel: chipsPanel(chips), x: sizes.labelOf(model), mode };
    case 12:
      return { panel: modelPanel(chips, sizes.labelOf(model)), x: lengthText(sequenceLength), mode };
    case 13:
      return { panel: sizes.isPaperChips(chips) ? 'paper' : 'own', x: String(chips), mode };
  }
}

export function placeKey({ panel, x, mode }: Place): string {
  return `${panel} ${x} ${mode}`;
}

export function chipsPanel(chips: number): string {
  return `${chips}chip`;
}

export function modelPanel(chips: number, model: string): string {
  return `${chips}chip-${model}`;
}

/** What a size is called in a picture. */
export interface Sizes {
  readonly labelOf: (model: ModelShape) => string;
  /** Whether the paper's figure has this number of chips. */
  readonly isPaperChips: (chips: number) => boolean;
}

/**
 * Names by shape and not by what a run calls it: `40x2048` is the paper's 2B, and a 2B of the user's that is another
 * shape is not.
 * @param preferred the names that the figure prints
 */
export function sizesOf(
  models: ModelTable,
  preferred: readonly string[],
  paperChips: readonly number[],
): Sizes {
  const byShape = new Map<string, string>();
  for (const name of [...preferred, ...Object.keys(models)]) {
    const shape = Object.hasOwn(models, name) ? models[name] : undefined;
    if (shape !== undefined && !byShape.has(shapeKey(shape))) byShape.set(shapeKey(shape), name);
  }
  return {
    labelOf: (model) => {
      const known = byShape.get(shapeKey(model));
      if (known !== undefined) return known;
      return Object.hasOwn(models, model.name)
        ? shapeName(model)
        : shownLine(model.name, 24) || shapeName(model);
    },
    isPaperChips: (chips) => paperChips.includes(chips),
  };
}

function shapeKey({ layers, hidden, heads }: ModelShape): string {
  return `${layers}x${hidden}x${heads}`;
}
