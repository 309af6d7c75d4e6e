/**
 * The candidate that `word` was most likely meant to be, for a "did you mean".
 * @returns undefined when every candidate differs in more than a third of its letters.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const scored = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)));
  return scored.sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein distance: insertions, deletions and replacements of one letter. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, letter] of Array.from(a).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(b).entries()) {
      const replace = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min((previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1, replace));
    }
    previous = current;
  }
  return previous[previous.length - 1] ?? 0;
}
