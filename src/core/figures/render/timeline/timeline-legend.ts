import type { TimelineData } from '../../timeline/timeline-data.ts';
import type { DrawnLine, DrawnSymbol, DrawnText } from '../drawing/draw.ts';
import type { Block } from '../page/page-block.ts';
import { ink, mutedInk } from '../drawing/palette.ts';
import { pictureText } from '../drawing/picture-text.ts';
import { sizes } from '../drawing/sizes.ts';
import { halfCapital, textWidth } from '../drawing/text-width.ts';
import { kindColours, otherKind } from './lane-colours.ts';
import { tellingGroups } from './lane-words.ts';
import { timelineWidth } from './timeline-layout.ts';

/** Of the two bounds. */
export const limitLine = { colour: mutedInk, width: 1.2, dash: [1.5, 2] } as const;
export const boundLine = { colour: ink, width: 1.4, dash: [5, 2] } as const;

const symbolRoom = 16;
const lineRoom = 26;
const rowHeight = 18;
const gap = 16;

interface Entry {
  readonly text: string;
  readonly colour: string;
  readonly fill?: string;
  readonly line?: Pick<DrawnLine, 'colour' | 'width' | 'dash'>;
}

const kindWords: Readonly<Record<string, string>> = {
  step: 'optimizer step',
  pinned: 'copy, page-locked',
  pageable: 'copy, pageable (slow)',
};

/** What the colours of lanes with several kinds are, and the two lines. */
export function timelineLegend(data: TimelineData): Block {
  const texts: DrawnText[] = [];
  const symbols: DrawnSymbol[] = [];
  const lines: DrawnLine[] = [];
  let [x, y] = [0, 0];
  for (const { text, colour, fill, line } of entriesOf(data)) {
    const room = line === undefined ? (fill === undefined ? 0 : symbolRoom) : lineRoom;
    const needed = room + textWidth(text, sizes.label);
    if (x > 0 && x + needed > timelineWidth) [x, y] = [0, y + rowHeight];
    const base = y + rowHeight - 4;
    const middle = base - halfCapital * sizes.label;
    texts.push({ x: x + room, y: base, text, size: sizes.label, colour, align: 'left' });
    if (fill !== undefined)
      symbols.push({ x: x + 5, y: middle, shape: 'square', area: 90, fill, stroke: fill });
    if (line !== undefined) lines.push({ x, x2: x + room - 6, y: middle, y2: middle, ...line });
    x += needed + gap;
  }
  return { texts, symbols, lines, height: y + rowHeight + 6 };
}

function entriesOf({ rows }: TimelineData): Entry[] {
  const lanes = rows.flatMap((row) => row.lanes);
  const kinds = lanes
    .filter(({ key }) => ['host', 'down', 'up'].includes(key))
    .flatMap((lane) => tellingGroups(lane).map(({ kind }) => kind));
  return [
    ...[...new Set(kinds)].map((kind): Entry => {
      const text = kindWords[kind] ?? pictureText(kind, 40);
      return { text, colour: ink, fill: kindColours[kind] ?? otherKind };
    }),
    ...(rows.some(({ bounds }) => bounds !== null)
      ? [
          { text: 'bound', colour: ink, line: boundLine },
          { text: 'busiest resource alone', colour: ink, line: limitLine },
        ]
      : []),
    { text: 'lighter: a part of the time', colour: mutedInk },
  ];
}
