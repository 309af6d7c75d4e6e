/** A way to go on. */
export interface Candidate {
  readonly value: string;
  /** Beside it, where the shell shows that. */
  readonly description?: string;
}

/** Controls, C1 controls, line separators and marks that turn the direction of a text: no shell completes to those. */
const unshowable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Whether a name can stand on a line of its own, and on a command line. */
export function isShowable(value: string): boolean {
  return value !== '' && !unshowable.test(value);
}

const maxDescription = 80;

/** One line, and not long. */
export function shortText(text: string): string {
  const line = Array.from(text, (letter) => (unshowable.test(letter) ? ' ' : letter))
    .join('')
    .trim();
  return line.length > maxDescription ? `${line.slice(0, maxDescription - 1)}…` : line;
}
