/**
 * Slurm's short form of host names: `node[1-3,7],gpu[001-004]n[1-2],login`.
 * @returns every name, in order; undefined where it is no such list. `(null)` and '' are none.
 */
export function parseNodeList(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === '(null)' || trimmed === 'None assigned') return [];
  const parts = splitOutside(trimmed);
  const names: string[] = [];
  for (const part of parts ?? []) {
    const expanded = expand(part);
    if (expanded === undefined) return undefined;
    names.push(...expanded);
  }
  return parts === undefined ? undefined : names;
}

/** Splits at commas that stand outside of brackets. */
function splitOutside(text: string): string[] | undefined {
  const parts: string[] = [];
  let part = '';
  let isInside = false;
  for (const character of `${text},`) {
    if (character === '[' || character === ']') {
      if (isInside === (character === '[')) return undefined;
      isInside = character === '[';
    }
    if (character !== ',' || isInside) part += character;
    else {
      parts.push(part);
      part = '';
    }
  }
  return isInside || parts.includes('') ? undefined : parts;
}

/** `a[1-2]b[3,4]` -> a1b3, a1b4, a2b3, a2b4. */
function expand(part: string): string[] | undefined {
  const match = /^([^[\]\s]*)\[([^\]]*)\](.*)$/.exec(part);
  if (match === null) return /^[^[\]\s]+$/.test(part) ? [part] : undefined;
  const [, before = '', ranges = '', after = ''] = match;
  const numbers = expandRanges(ranges);
  const rest = after === '' ? [''] : expand(after);
  if (numbers === undefined || rest === undefined) return undefined;
  return numbers.flatMap((number) => rest.map((end) => `${before}${number}${end}`));
}

/** More would be a mistake: no cluster has as many nodes. */
const mostNodes = 1_000_000;

/** `1-3,007` -> 1, 2, 3, 007: leading zeros are part of the name. */
function expandRanges(text: string): string[] | undefined {
  const numbers: string[] = [];
  for (const range of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (match === null) return undefined;
    const [, first = '', last = first] = match;
    const [from, to] = [Number(first), Number(last)];
    if (to < from || to - from > mostNodes) return undefined;
    for (let number = from; number <= to; number += 1)
      numbers.push(String(number).padStart(first.length, '0'));
  }
  return numbers;
}
