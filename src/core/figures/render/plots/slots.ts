import type { MarkSource } from '../../figure-data.ts';
import type { PanelView } from '../view/figure-view.ts';
import type { Stack } from './stacks.ts';
import { sizes } from '../drawing/sizes.ts';
import { textWidth } from '../drawing/text-width.ts';
import type { ValueScale } from './value-scale.ts';

/**
 * Where things stand across the page, in pixels. Each series has a slot at each place along the axis: a column for the
 * measured bar in the hollow one of the prediction, and beside it a column for the paper's diamond, so that no source
 * ever hides another, however alike they are.
 */
export interface Slots {
  readonly pitch: number;
  /** From the slot's left edge to the middle of the column. */
  readonly barCentre: number;
  readonly paperCentre: number;
  readonly hollowWidth: number;
  readonly solidWidth: number;
  /** Around the slots of one place. */
  readonly groupGap: number;
}

/** What one page is wide: small print of 10 pixels is 5.5 points where the page is printed across 18 cm. */
export const pageWidth = 900;

export function minPitch(sources: ReadonlySet<MarkSource>): number {
  const hasBars = sources.has('measured') || sources.has('predicted');
  return hasBars && sources.has('published') ? 21 : 13;
}

/** @param pitch pixels from one slot to the next, at least {@link minPitch} */
export function slotsOf(sources: ReadonlySet<MarkSource>, pitch: number): Slots {
  const hasBars = sources.has('measured') || sources.has('predicted');
  const both = hasBars && sources.has('published');
  const hollowWidth = Math.round(Math.min(both ? pitch * 0.54 : pitch * 0.8, 36));
  const hasTwo = sources.has('measured') && sources.has('predicted');
  const groupGap = 15;
  if (!both) {
    const barCentre = pitch / 2;
    return {
      pitch,
      barCentre,
      paperCentre: barCentre,
      hollowWidth,
      solidWidth: solid(hollowWidth, hasTwo),
      groupGap,
    };
  }
  const left = (pitch - hollowWidth - paperColumn) / 2;
  return {
    pitch,
    barCentre: left + hollowWidth / 2,
    paperCentre: left + hollowWidth + paperColumn / 2 + 0.5,
    hollowWidth,
    solidWidth: solid(hollowWidth, hasTwo),
    groupGap,
  };
}

/** The paper's diamond, and its words. */
const paperColumn = 9;

function solid(hollowWidth: number, hasTwo: boolean): number {
  return hasTwo ? hollowWidth - 2 * Math.max(2.5, hollowWidth * 0.2) : hollowWidth;
}

/** A panel with everything that its size depends on. */
export interface PanelPlan {
  readonly panel: PanelView;
  readonly scale: ValueScale;
  readonly stacks: readonly Stack[];
  /** Slots at each place along the axis. */
  readonly columns: number;
}

/** One place along a panel's axis: wide enough for its slots and for a short label. */
export function groupWidth(
  { panel, columns }: Pick<PanelPlan, 'panel' | 'columns'>,
  { pitch, groupGap }: Pick<Slots, 'pitch' | 'groupGap'>,
): number {
  const widest = Math.max(0, ...panel.x.map((text) => textWidth(text, sizes.label)));
  return Math.max(columns * pitch + groupGap, Math.min(widest + 10, 60), 36);
}

/** A panel that has nothing to show still has room to say so. */
export function plotWidth(plan: Pick<PanelPlan, 'panel' | 'columns'>, slots: Slots): number {
  return Math.max(120, Math.ceil(plan.panel.x.length * groupWidth(plan, slots)));
}

/** Of lines, the words below zero: one slot for each that there is at a place. */
export const lineSlots: Slots = {
  pitch: 12,
  barCentre: 6,
  paperCentre: 6,
  hollowWidth: 0,
  solidWidth: 0,
  groupGap: 12,
};
