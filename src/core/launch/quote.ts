/** Quotes one word for a POSIX shell: unchanged where no character is special, else in single quotes. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** @returns a command line that a POSIX shell splits back into exactly these words. */
export function quoteCommand(command: readonly string[]): string {
  return command.map(quoteWord).join(' ');
}
