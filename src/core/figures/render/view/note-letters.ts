import type { Mark } from '../../figure-data.ts';

/** Notes of marks, as footnotes: a letter at the mark, its text below the picture. */
export interface NoteLetters {
  /** `a,c`; empty for a mark without notes. */
  readonly of: (mark: Mark) => string;
  /** In the order of their letters. */
  readonly notes: readonly { readonly letter: string; readonly text: string }[];
}

/** Equal notes share a letter, given in the order of the marks. */
export function noteLetters(marks: readonly Mark[]): NoteLetters {
  const letters = new Map<string, string>();
  for (const note of marks.flatMap(({ notes }) => notes))
    if (!letters.has(note)) letters.set(note, letterOf(letters.size));
  return {
    of: ({ notes }) => {
      // In the order of the alphabet, which is the order of the map.
      const own = new Set(notes);
      return [...letters].flatMap(([note, letter]) => (own.has(note) ? [letter] : [])).join(',');
    },
    notes: [...letters].map(([text, letter]) => ({ letter, text })),
  };
}

/** a to z, aa to zz, and so on. */
function letterOf(index: number): string {
  const rest = index < 26 ? '' : letterOf(Math.floor(index / 26) - 1);
  return rest + String.fromCharCode(97 + (index % 26));
}
