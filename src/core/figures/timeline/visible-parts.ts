import type { Interval } from './timeline-file.ts';

/** An interval of one of a lane's kinds: `pinned`, `backward`. */
export interface KindInterval extends Interval {
  readonly kind: string;
}

/**
 * A stretch of a lane as a picture can show it.
 * `level`: for how much of the stretch something was going on: 0.1, a quarter, a half, three quarters or all of it.
 */
export interface VisiblePart extends KindInterval {
  readonly level: number;
}

/** Above this share of a cell nobody sees the rest, and below that one nobody sees anything. */
const full = 0.95;
const unseen = 0.01;
const faint = 0.1;

/**
 * Thousands of intervals as the few stretches that can be seen: time is cut into cells of `cellMs` (a pixel of the
 * picture), each cell takes the kind that fills most of it and how full it is, and cells alike are joined. What fills a
 * cell for a moment only is kept, light: nothing that can be seen disappears, and nothing sparse looks solid.
 * @param intervals of one lane; those of one kind do not overlap
 */
export function visibleParts(intervals: readonly KindInterval[], cellMs: number): VisiblePart[] {
  const cells = new Map<number, Map<string, number>>();
  for (const interval of intervals) fill(cells, interval, cellMs);
  const parts: VisiblePart[] = [];
  let next = -1;
  for (const [index, kinds] of [...cells].sort(([a], [b]) => a - b)) {
    const part = cellPart(index, kinds, cellMs);
    if (part === null) continue;
    const last = parts.at(-1);
    if (index === next && last?.kind === part.kind && last.level === part.level)
      parts[parts.length - 1] = { ...last, endMs: part.endMs };
    else parts.push(part);
    next = index + 1;
  }
  return parts;
}

/** Adds an interval to the cells that it touches: kind to milliseconds. */
function fill(cells: Map<number, Map<string, number>>, interval: KindInterval, cellMs: number): void {
  const { kind, beginMs, endMs } = interval;
  const first = Math.floor(beginMs / cellMs);
  const last = Math.max(first, Math.ceil(endMs / cellMs) - 1);
  for (let index = first; index <= last; index += 1) {
    const kinds = cells.get(index) ?? new Map<string, number>();
    cells.set(index, kinds);
    const ms = Math.min(endMs, (index + 1) * cellMs) - Math.max(beginMs, index * cellMs);
    kinds.set(kind, (kinds.get(kind) ?? 0) + ms);
  }
}

function cellPart(index: number, kinds: ReadonlyMap<string, number>, cellMs: number): VisiblePart | null {
  const [[kind] = ['']] = [...kinds].sort(([, a], [, b]) => b - a);
  const share = [...kinds.values()].reduce((sum, ms) => sum + ms, 0) / cellMs;
  if (share < unseen) return null;
  return { kind, beginMs: index * cellMs, endMs: (index + 1) * cellMs, level: levelOf(share) };
}

function levelOf(share: number): number {
  if (share >= full) return 1;
  return share < faint ? faint : Math.min(0.75, Math.ceil(share * 4) / 4);
}
