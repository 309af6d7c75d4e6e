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

const window = Math.min(...needles.map((needle) => needle.length));
const tableSize = 1 << 16;

function blockOf(text: string, at: number): number {
  const code = (text.charCodeAt(at - 2) << 11) ^ (text.charCodeAt(at - 1) << 5) ^ text.charCodeAt(at);
  return code & (tableSize - 1);
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
  for (const needle of needles) {
    for (let at = 2; at < window; at += 1) {
      const block = blockOf(needle, at);
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
 * @returns its place, or -1
 */
export function findNeedle(text: string, from: number): number {
  tables ??= buildTables();
  const { shift, candidates } = tables;
  const { length } = text;
  for (let at = from + window - 1; at < length;) {
    const block =
      ((text.charCodeAt(at - 2) << 11) ^ (text.charCodeAt(at - 1) << 5) ^ text.charCodeAt(at)) &
      (tableSize - 1);
    const step = shift[block] ?? 1;
    if (step === 0) {
      const start = at - window + 1;
      for (const needle of candidates.get(block) ?? []) if (text.startsWith(needle, start)) return start;
      at += 1;
    } else {
      at += step;
    }
  }
  return -1;
}
