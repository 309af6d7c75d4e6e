import { evidenceNeedles } from './evidence.ts';
import { formatNeedles } from './formats/registry.ts';

/** Substrings, one of which is in every line that any format or evidence rule could understand. */
const needles = minimal([...formatNeedles, ...evidenceNeedles]);

function minimal(all: readonly string[]): string[] {
  const unique = [...new Set(all)];
  return unique.filter((needle) => !unique.some((other) => other !== needle && needle.includes(other)));
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** One expression for all needles: for single lines. */
export function needleExpression(): RegExp {
  return new RegExp(needles.map(escape).join('|'));
}

/** The search moves by up to this much less two. Shorter needles would hold it back: V8 looks for those one by one. */
const window = 9;
const long = needles.filter((needle) => needle.length >= window);
const short = needles.filter((needle) => needle.length < window);
const tableMask = (1 << 16) - 1;

/** Three characters, the last of them at `at`, as an index of the tables. */
function blockAt(codes: Uint8Array, at: number): number {
  return (
    (((codes[at - 2] as number) << 11) ^ ((codes[at - 1] as number) << 5) ^ (codes[at] as number)) & tableMask
  );
}

interface Tables {
  /** How far the window may move on when a block stands at its end. */
  readonly shift: Uint8Array;
  /** For the two blocks before a window's last one, whether any window has it: rules out nearly every other place. */
  readonly middle: Uint8Array;
  readonly first: Uint8Array;
  /** The needles whose window ends in a block. */
  readonly candidates: ReadonlyMap<number, readonly Candidate[]>;
}

interface Candidate {
  readonly needle: string;
  /** Where in the needle its window ends. */
  readonly end: number;
}

/** Letters of logs from the frequent to the rare, the space first; all others are rarer still. */
const frequent = ' etaoinsrldchmpu_f.gy0b-w1v';

/** The window should end where a chance hit is least likely. */
function rarestEnd(needle: string): number {
  const weight = (letter: string | undefined): number => {
    const rank = frequent.indexOf(letter ?? '');
    return Math.log((rank === -1 ? frequent.length : rank) + 2);
  };
  let [best, rarest] = [window - 1, 0];
  for (let end = window - 1; end < needle.length; end += 1) {
    const rarity = weight(needle[end - 2]) + weight(needle[end - 1]) + weight(needle[end]);
    if (rarity > rarest) [best, rarest] = [end, rarity];
  }
  return best;
}

let tables: Tables | undefined;

function buildTables(): Tables {
  const shift = new Uint8Array(tableMask + 1).fill(window - 2);
  const middle = new Uint8Array(tableMask + 1);
  const first = new Uint8Array(tableMask + 1);
  const candidates = new Map<number, Candidate[]>();
  for (const needle of long) {
    const codes = toCodes(needle);
    const end = rarestEnd(needle);
    for (let distance = 0; distance <= window - 3; distance += 1) {
      const block = blockAt(codes, end - distance);
      shift[block] = Math.min(shift[block] ?? 0, distance);
    }
    middle[blockAt(codes, end - 3)] = 1;
    first[blockAt(codes, end - 6)] = 1;
    const last = blockAt(codes, end);
    candidates.set(last, [...(candidates.get(last) ?? []), { needle, end }]);
  }
  return { shift, middle, first, candidates };
}

/** @returns where to go on from a block that ends a window: behind the line, when it holds a needle */
function check(tables: Tables, text: string, codes: Uint8Array, at: number, found: number[]): number {
  if (tables.middle[blockAt(codes, at - 3)] === 0 || tables.first[blockAt(codes, at - 6)] === 0)
    return at + 1;
  const near = tables.candidates.get(blockAt(codes, at)) ?? [];
  if (!near.some(({ needle, end }) => text.startsWith(needle, at - end))) return at + 1;
  found.push(at);
  const lineEnd = text.indexOf('\n', at);
  return lineEnd === -1 ? codes.length : lineEnd + window;
}

/**
 * Finds the lines of a text that hold a needle. Wu and Manber 1994, "A fast algorithm for multi-pattern searching":
 * most blocks of three characters are in no needle, and then the window moves by several at once. V8's regular
 * expressions try every alternative at every place and are several times slower with a hundred of them.
 * @param codes the same text, one byte a character: reading bytes is twice as quick as asking a string
 * @returns places inside these lines between two places, in order; some lines more than once
 */
export function findNeedles(text: string, codes: Uint8Array, from: number, to: number): number[] {
  tables ??= buildTables();
  const { shift } = tables;
  const [found, inSecondHalf]: [number[], number[]] = [[], []];
  let a = from + window - 1;
  const half = Math.max((from + to) >> 1, a);
  let b = half;
  // Each step waits for the table's answer; two searches at once, one a half, wait together.
  while (a < half && b < to) {
    const stepA = shift[blockAt(codes, a)] as number;
    const stepB = shift[blockAt(codes, b)] as number;
    a = stepA === 0 ? check(tables, text, codes, a, found) : a + stepA;
    b = stepB === 0 ? check(tables, text, codes, b, inSecondHalf) : b + stepB;
  }
  searchRest(tables, text, codes, a, half, found);
  searchRest(tables, text, codes, b, to, inSecondHalf);
  for (const at of inSecondHalf) found.push(at);
  const more = findShort(text, from, to);
  return more.length === 0 ? found : [...found, ...more].sort((x, y) => x - y);
}

function searchRest(
  tables: Tables,
  text: string,
  codes: Uint8Array,
  from: number,
  to: number,
  found: number[],
): void {
  for (let at = from; at < to;) {
    const step = tables.shift[blockAt(codes, at)] as number;
    at = step === 0 ? check(tables, text, codes, at, found) : at + step;
  }
}

function findShort(text: string, from: number, to: number): number[] {
  const found: number[] = [];
  for (const needle of short) {
    for (let at = text.indexOf(needle, from); at !== -1 && at < to; at = text.indexOf(needle, at + 1))
      found.push(at);
  }
  return found;
}

/** @returns the first place that {@link findNeedles} finds, or -1 */
export function findNeedle(text: string, codes: Uint8Array, from: number): number {
  return findNeedles(text, codes, from, codes.length)[0] ?? -1;
}

/** @returns latin1 text as bytes */
export function toCodes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}
