/**
 * Folds text that comes in large pieces. A log of gigabytes is almost all noise: one search over the whole piece
 * finds the lines that any format could understand, and only those become strings of their own.
 */
import type { LogEvent } from './events.ts';
import { createFold, tailLines, type Fold } from './fold.ts';
import { findNeedles, toCodes } from './needle.ts';
import type { LogState } from './state.ts';

/** Text without a line feed that is longer than this is cut: it is no log, and memory is bounded. */
const maxCarry = 1 << 20;
/** Characters that hold the last lines, unless they are very long. */
const enoughForTail = 32_768;

export interface Scanner {
  /**
   * Takes the next piece of text, cut anywhere.
   * @param codes the same as bytes, one for each character, where the caller has them anyway
   */
  readonly push: (text: string, codes?: Uint8Array) => void;
  /** Takes what is left as the last line. @returns the final state, with `endsInsideLine` */
  readonly end: () => LogState & { readonly endsInsideLine: boolean };
}

/** @param onLine called for each line that said something, with what it said */
export function createScanner(onLine?: (line: string, events: readonly LogEvent[]) => void): Scanner {
  const fold = createFold();
  const tail = createTail();
  let carry = '';

  const pushLine = (line: string, known = false): void => {
    const events = fold.take(line, known);
    if (onLine !== undefined && events.length > 0) onLine(line, events);
  };

  return {
    push: (text, codes = toCodes(text)) => {
      const first = carry === '' ? 0 : text.indexOf('\n') + 1;
      const last = text.lastIndexOf('\n') + 1;
      if (last === 0) {
        carry += text;
      } else {
        if (first > 0) pushLine(carry + text.slice(0, first - 1));
        tail.push(carry + text.slice(0, last));
        scanLines(fold, text, codes, first, last, pushLine);
        carry = text.slice(last);
      }
      if (carry.length <= maxCarry) return;
      pushLine(carry);
      carry = '';
    },
    end: () => {
      if (carry !== '') pushLine(carry);
      fold.state.tail = tail.lines(carry);
      return { ...fold.state, endsInsideLine: carry !== '' };
    },
  };
}

/** Folds the whole lines between two places. */
function scanLines(
  fold: Fold,
  text: string,
  codes: Uint8Array,
  from: number,
  to: number,
  pushLine: (line: string, known?: boolean) => void,
): void {
  let position = from;
  for (const place of findNeedles(text, codes, from, to)) {
    if (place < position) continue;
    position = pushWanted(position);
    if (place < position) continue;
    const start = text.lastIndexOf('\n', place) + 1;
    fold.skip(countLines(text, position, start));
    const end = text.indexOf('\n', place);
    pushLine(text.slice(start, end), true);
    position = end + 1;
  }
  position = pushWanted(position);
  fold.skip(countLines(text, position, to));

  /** Inside a traceback every line counts. */
  function pushWanted(start: number): number {
    let next = start;
    while (next < to && fold.wantsEveryLine()) {
      const end = text.indexOf('\n', next);
      pushLine(text.slice(next, end));
      next = end + 1;
    }
    return next;
  }
}

/** Keeps the newest pieces whole, because most lines never become strings of their own. */
function createTail(): { push: (text: string) => void; lines: (carry: string) => string[] } {
  let newest = '';
  let previous = '';
  return {
    push: (text) => {
      if (text === '') return;
      previous = newest.length < enoughForTail ? previous.slice(-enoughForTail) + newest : newest;
      newest = text;
    },
    lines: (carry) => {
      const text = (previous.slice(-enoughForTail) + newest).slice(-enoughForTail);
      const lines = text.split('\n').slice(0, -1);
      if (carry !== '') lines.push(carry);
      return lines.slice(-tailLines).map((line) => line.slice(0, 500));
    },
  };
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let end = text.indexOf('\n', from); end !== -1 && end < to; end = text.indexOf('\n', end + 1))
    count += 1;
  return count;
}
