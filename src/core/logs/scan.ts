/**
 * Folds text that comes in large pieces. A log of gigabytes is almost all noise: one search over the whole piece
 * finds the lines that any format could understand, and only those become strings of their own.
 */
import type { LogEvent } from './events.ts';
import { createFold, tailLines } from './fold.ts';
import { findNeedle } from './needle.ts';
import type { LogState } from './state.ts';

/** Text without a line feed that is longer than this is cut: it is no log, and memory is bounded. */
const maxCarry = 1 << 20;
/** Characters that hold the last lines, unless they are very long. */
const enoughForTail = 32_768;

export interface Scanner {
  /** Takes the next piece of text, cut anywhere. */
  readonly push: (text: string) => void;
  /** Takes what is left as the last line. @returns the final state, with `endsInsideLine` */
  readonly end: () => LogState & { readonly endsInsideLine: boolean };
}

/** @param onLine called for each line that said something, with what it said */
export function createScanner(onLine?: (line: string, events: readonly LogEvent[]) => void): Scanner {
  const fold = createFold();
  const tail = createTail();
  let carry = '';

  const pushLine = (line: string): void => {
    const events = fold.push(line);
    if (onLine !== undefined && events.length > 0) onLine(line, events);
  };

  const scanLines = (text: string): void => {
    let position = 0;
    while (position < text.length) {
      const start = fold.wantsEveryLine() ? position : nextLineOfInterest(text, position);
      fold.skip(countLines(text, position, start));
      if (start >= text.length) return;
      const end = text.indexOf('\n', start);
      pushLine(text.slice(start, end));
      position = end + 1;
    }
  };

  return {
    push: (text) => {
      const whole = carry === '' ? text : carry + text;
      const end = whole.lastIndexOf('\n') + 1;
      carry = whole.slice(end);
      const lines = whole.slice(0, end);
      tail.push(lines);
      scanLines(lines);
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

/** @returns where the first line at or after `from` starts that holds a needle, or the text's length */
function nextLineOfInterest(text: string, from: number): number {
  const place = findNeedle(text, from);
  return place === -1 ? text.length : text.lastIndexOf('\n', place) + 1;
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let end = text.indexOf('\n', from); end !== -1 && end < to; end = text.indexOf('\n', end + 1))
    count += 1;
  return count;
}
