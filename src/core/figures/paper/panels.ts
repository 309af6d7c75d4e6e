import type { ModelShape } from '../../experiment/case.ts';
import type { ModelTable } from '../../experiment/model-names.ts';
import { parameterCount } from '../../model/shape.ts';
import { lengthText } from '../../search/between.ts';
import type { FigureNumber, Panel } from '../figure-data.ts';
import type { PaperFigure, PaperPanel } from './paper.ts';
import { chipsPanel, modelPanel, placeOf, type Sizes } from './places.ts';
import type { Trial } from '../trial.ts';

/** A place along an axis, and what stands there. */
export interface XPlace {
  readonly x: string;
  readonly chips: number;
  /** null where the figure looks for the largest. */
  readonly model: ModelShape | null;
  /** null: the experiment's own. */
  readonly sequenceLength: number | null;
  /** Position in the paper's panel, and what is printed there; null for a place of one's own. */
  readonly printed: { readonly index: number; readonly text: string } | null;
}

export interface PlannedPanel {
  readonly panel: Panel;
  readonly places: readonly XPlace[];
  readonly paper: PaperPanel | null;
}

/** What panels are made from. */
export interface PanelSources {
  readonly figure: FigureNumber;
  readonly paper: PaperFigure;
  readonly models: ModelTable;
  readonly sizes: Sizes;
  /** Runs on CPUs have panels of their own and never the paper's. */
  readonly functional: boolean;
}

/** The paper's panels, each with the places that runs add to it, then those that the paper does not have. */
export function planPanels(sources: PanelSources, trials: readonly Trial[]): PlannedPanel[] {
  const planned = new Map<string, { places: Map<string, XPlace>; paper: PaperPanel | null }>();
  for (const paper of sources.functional ? [] : sources.paper.panels) {
    const places = paperPlaces(sources, paper);
    planned.set(paperKey(paper), { places: new Map(places.map((place) => [place.x, place])), paper });
  }
  for (const { subject } of trials) {
    const { panel, x } = placeOf(sources.figure, subject, sources.sizes);
    const entry = planned.get(panel) ?? { places: new Map<string, XPlace>(), paper: null };
    if (!entry.places.has(x)) entry.places.set(x, ownPlace(sources.figure, subject, x));
    planned.set(panel, entry);
  }
  return [...planned].map(([key, { places, paper }]) => {
    const sorted = [...places.values()].sort(byOrder);
    return { panel: panelOf(sources, key, sorted, paper), places: sorted, paper };
  });
}

function paperKey({ chips, model }: PaperPanel): string {
  if (chips === null) return 'paper';
  return model === null ? chipsPanel(chips) : modelPanel(chips, model);
}

function paperPlaces({ figure, models }: PanelSources, { chips, model, x }: PaperPanel): XPlace[] {
  return x.flatMap((text, index): XPlace[] => {
    const printed = { index, text };
    if (chips === null) return [{ x: text, chips: Number(text), model: null, sequenceLength: null, printed }];
    const shape = models[model ?? text];
    if (shape === undefined) return [];
    if (figure !== 12) return [{ x: text, chips, model: shape, sequenceLength: null, printed }];
    const sequenceLength = printedTokens(text);
    return [{ x: lengthText(sequenceLength), chips, model: shape, sequenceLength, printed }];
  });
}

/**
 * Tokens of a printed length. Ranks share a sequence by powers of two: what is printed as 500K is run as 512K
 * (experiment/sequence_length.json), as every length that is no multiple of 16K becomes the next one.
 */
export function printedTokens(text: string): number {
  const match = /^([\d.]+)([KM])$/.exec(text);
  const tokens = Number(match?.[1] ?? Number.NaN) * (match?.[2] === 'M' ? 2 ** 20 : 2 ** 10);
  return Math.ceil(tokens / 2 ** 14) * 2 ** 14;
}

function ownPlace(
  figure: FigureNumber,
  { chips, model, sequenceLength }: Trial['subject'],
  x: string,
): XPlace {
  if (figure === 13) return { x, chips, model: null, sequenceLength: null, printed: null };
  return { x, chips, model, sequenceLength: figure === 12 ? sequenceLength : null, printed: null };
}

/** By what stands along the axis: chips, tokens, or parameters. */
function byOrder(a: XPlace, b: XPlace): number {
  return (
    a.chips - b.chips ||
    (a.sequenceLength ?? 0) - (b.sequenceLength ?? 0) ||
    sizeOf(a) - sizeOf(b) ||
    (a.x < b.x ? -1 : 1)
  );
}

function sizeOf({ model }: XPlace): number {
  return model === null ? 0 : parameterCount(model, 0);
}

function panelOf(
  { figure, sizes, functional }: PanelSources,
  key: string,
  places: readonly XPlace[],
  paper: PaperPanel | null,
): Panel {
  const [first] = places;
  const chips = figure === 13 ? null : (first?.chips ?? null);
  const batch = paper?.globalBatch ?? null;
  const words = [
    ...(chips === null ? [] : [chipsText(chips, functional)]),
    ...(figure === 12 && first?.model ? [sizes.labelOf(first.model)] : []),
    ...(batch === null ? [] : [`global batch ${batch}`]),
    ...(figure === 13 ? [axisChips(places, functional)] : []),
  ];
  return {
    key,
    title: words.join(', '),
    chips,
    xTitle: {
      10: 'model size',
      11: 'model size',
      12: 'sequence length (tokens)',
      13: functional ? 'CPU ranks' : 'chips',
    }[figure],
    x: places.map(({ x }) => x),
    inPaper: paper !== null,
  };
}

function axisChips(places: readonly XPlace[], functional: boolean): string {
  const words = places.map(({ x }) => x);
  const last = words.pop() ?? '';
  const joined = words.length === 0 ? last : `${words.join(', ')} and ${last}`;
  return joined === '1' ? chipsText(1, functional) : `${joined} ${functional ? 'CPU ranks' : 'chips'}`;
}

function chipsText(chips: number, functional: boolean): string {
  const noun = functional ? 'CPU rank' : 'chip';
  return `${chips} ${noun}${chips === 1 ? '' : 's'}`;
}
