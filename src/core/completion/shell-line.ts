/** A command line up to the cursor, as a POSIX shell reads it; nothing is expanded. */
export interface ShellLine {
  /** Without quotes and backslashes; the last one is the word at the cursor. */
  readonly words: readonly string[];
  /** The word at the cursor as it was typed. */
  readonly raw: string;
  /** The quote that is open at the cursor. */
  readonly quote: '"' | "'" | null;
  /** Where in `raw` the open quote is. */
  readonly quoteAt: number;
}

/** Within double quotes a backslash stands for itself before any other letter. */
const escapable = '$`"\\';

export function readShellLine(line: string): ShellLine {
  const words: string[] = [];
  let [word, raw, quoteAt] = ['', '', 0];
  let quote: ShellLine['quote'] = null;
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at] ?? '';
    const next = line[at + 1] ?? '';
    if (quote === null && /\s/.test(letter)) {
      if (raw !== '') words.push(word);
      [word, raw] = ['', ''];
      continue;
    }
    const isQuote = quote === null ? letter === '"' || letter === "'" : letter === quote;
    const isEscape =
      letter === '\\' && quote !== "'" && next !== '' && (quote === null || escapable.includes(next));
    if (isQuote) {
      quoteAt = raw.length;
      quote = quote === null ? (letter as '"' | "'") : null;
    } else if (isEscape) word += next;
    else word += letter;
    raw += isEscape ? letter + next : letter;
    if (isEscape) at += 1;
  }
  return { words: [...words, word], raw, quote, quoteAt };
}

/** Letters that a shell may read in its own way: all of ASCII but these. */
const special = /[^A-Za-z0-9_@%+:,./=\u0080-\u{10ffff}-]/gu;

/** What is typed for a text within a quote that is open, or without one. */
export function quoteRest(text: string, quote: ShellLine['quote']): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  if (quote === '"') return text.replaceAll(/[$`"\\]/g, '\\$&');
  return text.replaceAll(special, '\\$&');
}

/**
 * What bash puts in place of the part of the word that it completes: that part begins after an open quote, or after the
 * last letter of COMP_WORDBREAKS.
 */
export function bashReply({ words, raw, quote, quoteAt }: ShellLine, value: string, breaks: string): string {
  const typed = words.at(-1) ?? '';
  const rest = quoteRest(value.slice(typed.length), quote);
  if (quote !== null) return `${raw.slice(quoteAt + 1)}${rest}`;
  let start = 0;
  for (let at = 0; at < raw.length; at += 1) {
    if (raw[at] === '\\') at += 1;
    else if (breaks.includes(raw[at] ?? '')) start = at + 1;
  }
  return `${raw.slice(start)}${rest}`;
}
