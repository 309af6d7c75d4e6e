/** Rows of two columns, the second folded to a terminal of 100 letters. */
export function rows(pairs: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.min(26, Math.max(...pairs.map(([name]) => name.length)));
  return pairs
    .map(([name, text]) => {
      const folded = fold(text, 96 - width).join(`\n${' '.repeat(width + 4)}`);
      return name.length > width
        ? `  ${name}\n${' '.repeat(width + 4)}${folded}`
        : `  ${name.padEnd(width)}  ${folded}`;
    })
    .join('\n');
}

/** Lines of so many letters at most, cut at blanks. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
