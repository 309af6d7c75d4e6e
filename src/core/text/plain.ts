/** Text from logs, names and paths, made fit to be shown: it may hold anything. */

/** CSI, OSC and two-character escape sequences of terminals (ECMA-48), an unfinished one included. */
const terminalSequence =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -~]?)/g;
/** All but tab and line feed, C1 included; and what turns the direction of text around (Unicode TR36, 3.2). */
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const loneSurrogate = /\p{Surrogate}/gu;

/** Longer lines are cut where they are shown: a page must stay one that can be read. */
export const shownChars = 600;

/** Text without anything that a terminal or a browser would obey; tabs and line feeds stay. */
export function plainText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(terminalSequence, '')
    .replace(unseen, '\ufffd')
    .replace(loneSurrogate, '\ufffd');
}

/** As {@link plainText}, in one line, and cut with a word about how much is missing. */
export function shownLine(text: string, maxChars = shownChars): string {
  const line = plainText(text.slice(0, 8 * maxChars))
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= maxChars && text.length <= 8 * maxChars) return line;
  return `${plainText(line.slice(0, maxChars))}\u2026 (cut, ${text.length} characters in all)`;
}
