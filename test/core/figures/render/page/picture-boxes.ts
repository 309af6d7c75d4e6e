import * as vega from 'vega';
import { compile } from 'vega-lite';
import type { VegaLiteSpec } from '../../../../../src/core/figures/render/drawing/draw.ts';
import { textWidth } from '../../../../../src/core/figures/render/drawing/text-width.ts';

/**
 * Where everything in a picture lies, read from Vega's scenegraph after plain Vega-Lite and Vega have drawn it: no
 * canvas, nothing of ours between. Texts are as wide as the shipped font says.
 */

export interface Box {
  readonly kind: 'text' | 'symbol' | 'bar' | 'stem';
  /** The text, or the mark's name. */
  readonly name: string;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly warnings: readonly string[];
  readonly svg: string;
}

/** What a person with a Vega editor does with the written file. */
export async function plainPicture(spec: VegaLiteSpec): Promise<Picture> {
  const warnings: string[] = [];
  const note = (...words: readonly unknown[]): never => {
    warnings.push(words.join(' '));
    return logger as never;
  };
  const logger = { level: () => logger as never, warn: note, error: note, info: () => logger as never, debug: () => logger as never }; // prettier-ignore
  const written = JSON.parse(JSON.stringify(spec)) as never;
  const { spec: program } = compile(written, { logger });
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(program), { renderer: 'none', logger });
  const svg = await view.toSVG();
  const boxes: Box[] = [];
  const { root } = view.scenegraph() as unknown as { root: SceneMark };
  const { left, top } = paddingOf(view.padding());
  walk(root, left, top, boxes);
  const [width = 0, height = 0] = /width="(\d+)" height="(\d+)"/.exec(svg)?.slice(1).map(Number) ?? [];
  view.finalize();
  return { width, height, boxes, warnings, svg };
}

function paddingOf(padding: unknown): { left: number; top: number } {
  return padding as { left: number; top: number };
}

interface SceneMark {
  readonly marktype: string;
  readonly name?: string;
  readonly role?: string;
  readonly items: readonly SceneItem[];
}

interface SceneItem {
  readonly x?: number;
  readonly y?: number;
  readonly x2?: number;
  readonly y2?: number;
  readonly dx?: number;
  readonly dy?: number;
  readonly width?: number;
  readonly height?: number;
  readonly angle?: number;
  readonly align?: string;
  readonly baseline?: string;
  readonly fontSize?: number;
  readonly text?: string | readonly string[];
  readonly opacity?: number;
  readonly strokeWidth?: number;
  readonly items?: readonly SceneMark[];
  readonly bounds: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
}

function walk(mark: SceneMark, x: number, y: number, boxes: Box[]): void {
  const name = mark.name ?? mark.role ?? mark.marktype;
  for (const item of mark.items) {
    if (mark.marktype === 'group')
      for (const child of item.items ?? []) walk(child, x + (item.x ?? 0), y + (item.y ?? 0), boxes);
    else if (mark.marktype === 'text') addText(item, x, y, boxes);
    else if (mark.marktype === 'symbol') boxes.push({ kind: 'symbol', name, ...moved(item.bounds, x, y) });
    else if (mark.marktype === 'rect' && mark.role === 'mark') boxes.push({ kind: 'bar', name, ...moved(item.bounds, x, y) }); // prettier-ignore
    else if (mark.marktype === 'rule' && mark.role === 'mark') boxes.push({ kind: 'stem', name, ...moved(item.bounds, x, y) }); // prettier-ignore
  }
}

function moved({ x1, y1, x2, y2 }: SceneItem['bounds'], x: number, y: number) {
  return { x1: x1 + x, y1: y1 + y, x2: x2 + x, y2: y2 + y };
}

/** Of Inter: the highest small letter and bracket, and the lowest; shares of the size. */
const inkAbove = 0.76;
const inkBelow = 0.21;

/** Vega's own shifts of a base line, vega-scenegraph/src/util/text.js. */
const baselines: Readonly<Record<string, number>> = { top: 0.79, middle: 0.3, bottom: -0.21, alphabetic: 0 };

function addText(item: SceneItem, x: number, y: number, boxes: Box[]): void {
  const text = [item.text ?? ''].flat().join(' ');
  if (text === '' || item.opacity === 0) return;
  const size = item.fontSize ?? 11;
  const width = textWidth(text, size);
  const start = item.align === 'center' ? -width / 2 : item.align === 'right' ? -width : 0;
  const base = (item.dy ?? 0) + (baselines[item.baseline ?? 'alphabetic'] ?? 0) * size;
  const below = /[gjpqy,;()[\]{}|_Q@$/ç]/.test(text) ? inkBelow * size : 0;
  const corners = [start + (item.dx ?? 0), start + (item.dx ?? 0) + width].flatMap((at) =>
    [base - inkAbove * size, base + below].map((up) => turned(at, up, item.angle ?? 0)),
  );
  const xs = corners.map(([at]) => x + (item.x ?? 0) + at);
  const ys = corners.map(([, at]) => y + (item.y ?? 0) + at);
  boxes.push({
    kind: 'text',
    name: text,
    x1: Math.min(...xs),
    x2: Math.max(...xs),
    y1: Math.min(...ys),
    y2: Math.max(...ys),
  });
}

function turned(x: number, y: number, degrees: number): readonly [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
}

/** Pairs that cover one another by more than a hair. A text is in nobody's way; marks may touch marks. */
export function overlaps(boxes: readonly Box[], hair = 0.4): string[] {
  const found: string[] = [];
  const texts = boxes.filter(({ kind }) => kind === 'text');
  const others = boxes.filter(({ kind }) => kind !== 'text');
  for (const [i, a] of texts.entries()) {
    for (const b of [...texts.slice(i + 1), ...others]) {
      const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
      const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
      if (width > hair && height > hair)
        found.push(`"${a.name.slice(0, 40)}" and ${b.kind} "${b.name.slice(0, 40)}" by ${width.toFixed(1)} x ${height.toFixed(1)} at ${a.x1.toFixed(0)},${a.y1.toFixed(0)}`); // prettier-ignore
    }
  }
  return found;
}

/** What a frame of `margin` pixels around the picture cuts. */
export function outside({ width, height, boxes }: Picture, margin: number): string[] {
  return boxes
    .filter(({ x1, y1, x2, y2 }) => x1 < margin || y1 < margin || x2 > width - margin || y2 > height - margin)
    .map(({ kind, name, x1, y1, x2, y2 }) => `${kind} "${name.slice(0, 40)}" ${[x1, y1, x2, y2].map((each) => each.toFixed(0)).join(' ')}`); // prettier-ignore
}
