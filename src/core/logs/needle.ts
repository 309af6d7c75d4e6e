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

/** Short needles hold the search back; in whole text a line's own ends make them longer. */
const longer: Readonly<Record<string, readonly string[]>> = { Killed: ['\nKilled\n', ' Killed '] };
const textNeedles = needles.flatMap((needle) => longer[needle] ?? [needle]);

const window = Math.min(...textNeedles.map((needle) => needle.length));
const tableSize = 1 << 16;

/** Three neighbouring characters as an index of the tables. */
function blockOf(first: number, second: number, third: number): number {
  return ((first << 11) ^ (second << 5) ^ third) & (tableSize - 1);
}

interface Tables {
  /** How far the window may move on when a block of three characters stands at its end. */
  readonly shift: Uint8Array;
  /** The needles whose window ends in a block. */
  readonly candidates: ReadonlyMap<number, readonly string[]>;
}

let tables: Tables | undefined;

function buildTables(): Tables {
  const shift = new Uint8Array(tableSize).fill(window - 2);
  const candidates = new Map<number, string[]>();
  for (const needle of textNeedles) {
    for (let at = 2; at < window; at += 1) {
      const block = blockOf(needle.charCodeAt(at - 2), needle.charCodeAt(at - 1), needle.charCodeAt(at));
      shift[block] = Math.min(shift[block] ?? 0, window - 1 - at);
      if (at === window - 1) candidates.set(block, [...(candidates.get(block) ?? []), needle]);
    }
  }
  return { shift, candidates };
}

/**
 * Finds the first needle in a large text. Wu and Manber 1994, "A fast algorithm for multi-pattern searching": most
 * blocks of three characters are in no needle, and then the window moves by several at once. V8's regular
 * expressions try every alternative at every place and are several times slower with a hundred of them.
 * @param codes the same text, one byte a character: reading bytes is twice as quick as asking a string
 * @returns its place, or -1
 */
export function findNeedle(text: string, codes: Uint8Array, from: number): number {
  tables ??= buildTables();
  const { shift, candidates } = tables;
  const { length } = codes;
  let at = from + window - 1;
  while (at < length) {
    const block =
      (((codes[at - 2] as number) << 11) ^ ((codes[at - 1] as number) << 5) ^ (codes[at] as number)) &
      (tableSize - 1);
    const step = shift[block] as number;
    if (step === 0) {
      const start = at - window + 1;
      for (const needle of candidates.get(block) ?? []) if (text.startsWith(needle, start)) return start;
    }
    at += step === 0 ? 1 : step;
  }
  return -1;
}

/** @returns latin1 text as bytes */
export function toCodes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}
